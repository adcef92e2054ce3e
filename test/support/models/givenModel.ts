import { labelNames, type Taxonomy } from '../../../domain/taxonomy.js';
import { type ModelCard, modelCardSchema } from '../../../domain/train/modelCard.js';
import { digestOf, digestOfTaxonomy } from '../../../storage/digest.js';

/** The card that lets a network of ours, given as one file with this digest, judge labels of a taxonomy. */
export function givenCard(taxonomy: Taxonomy, side: number, digest: string): ModelCard {
  return modelCardSchema.parse({
    version: 1,
    taxonomyDigest: digestOfTaxonomy(taxonomy),
    classes: labelNames(taxonomy),
    input: { name: 'image', layout: 'NHWC', dtype: 'uint8', size: side },
    trainedOn: { list: null, digest: digestOf([]) },
    valMiou: null,
    valClassIou: {},
    weightsSha256: digest,
    files: { model: digest, scan: digest },
    preset: 'given',
    imageSize: side,
    iterations: 1,
  });
}

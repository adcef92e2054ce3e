import type { z } from 'zod';
import type { modelCardSchema } from '../../domain/train/modelCard.js';
import { digestOf } from '../../storage/digest.js';
import { idOf, TAXONOMY } from '../domain/sample/rows.js';

/** The card of a model that a training left, whose file for scans has this digest. */
export const trainedCard = (size: number, scan: string): z.input<typeof modelCardSchema> => ({
  version: 1,
  taxonomyDigest: digestOf(TAXONOMY),
  classes: ['background', 'hood', 'door', 'mirror'],
  input: { name: 'image', layout: 'NHWC', dtype: 'uint8', size },
  trainedOn: { list: null, digest: idOf(1) },
  valMiou: 0.5,
  valClassIou: {},
  weightsSha256: idOf(2),
  files: { model: idOf(3), scan },
  preset: 'efficientnet_lite0',
  imageSize: size,
  iterations: 10,
});

import { InferenceSession, Tensor } from 'onnxruntime-node';
import { PartloopError } from '../../domain/base/errors.js';
import { decodeForNetwork } from '../../inference/decode.js';
import { padImage } from '../../inference/letterbox.js';
import type { BenchSet } from '../detect/data.js';
import type { Judged } from '../detect/models.js';

/** Cells per side of the layout. */
const CELLS = 8;

/** What the judge of an image thinks of it, as peers of the literature use it. */
export interface Impression {
  /** Mean entropy of a pixel's classes in nats, over the picture. */
  entropy: number;
  /** Mean probability of every class in every cell of a grid over the picture: what is where. */
  layout: Float32Array;
}

/** The impressions of a set's images by the judges that have not seen them, in the order of the images. */
export async function impressionsOf(set: BenchSet, { folds, judges }: Judged): Promise<Impression[]> {
  const { imageSize: size } = set;
  const classes = set.taxonomy.classes.length + 1;
  const side = size / 4;
  const impressions = new Array<Impression>(set.images.length);
  for (const [fold, judge] of judges.entries()) {
    const session = await InferenceSession.create(judge.logitsPath ?? judge.scanPath, { intraOpNumThreads: 2 });
    for (const [index, image] of set.images.entries()) {
      if (folds[index] !== fold) continue;
      const { rgb, width, height } = await decodeForNetwork(image.bytes, size, image.fileName);
      const canvas = padImage(rgb, width, height, size);
      const { logits } = await session.run({ image: new Tensor('uint8', canvas, [1, size, size, 3]) });
      if (!(logits?.data instanceof Float32Array) || logits.data.length !== classes * side * side)
        throw new PartloopError('model-invalid', `${judge.id} gives no logits [1, ${classes}, ${side}, ${side}]`);
      impressions[index] = impression(logits.data, classes, side, Math.ceil(width / 4), Math.ceil(height / 4));
    }
    await session.release();
  }
  return impressions;
}

/** `logits` [classes, side, side]; the picture fills the first `width` × `height` cells. */
function impression(logits: Float32Array, classes: number, side: number, width: number, height: number): Impression {
  const layout = new Float32Array(CELLS * CELLS * classes);
  const plane = side * side;
  const chances = new Float64Array(classes);
  let entropy = 0;
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      let most = Number.NEGATIVE_INFINITY;
      for (let label = 0; label < classes; label++)
        most = Math.max(most, logits[label * plane + y * side + x] as number);
      let total = 0;
      for (let label = 0; label < classes; label++) {
        chances[label] = Math.exp((logits[label * plane + y * side + x] as number) - most);
        total += chances[label] as number;
      }
      const cell = Math.floor((y * CELLS) / height) * CELLS + Math.floor((x * CELLS) / width);
      for (let label = 0; label < classes; label++) {
        const chance = (chances[label] as number) / total;
        if (chance > 0) entropy -= chance * Math.log(chance);
        const at = cell * classes + label;
        layout[at] = (layout[at] as number) + chance;
      }
    }
  const cells = (width * height) / (CELLS * CELLS);
  return { entropy: entropy / (width * height), layout: layout.map((sum) => sum / cells) };
}

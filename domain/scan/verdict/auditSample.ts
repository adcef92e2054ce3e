import { seededRandom } from '../../base/random.js';
import { AUDIT } from './thresholds.js';

/**
 * Draws images for review over all probabilities, to show errors that the scan overlooks too: image id -> the
 * probability of its draw, for weighting by the inverse (Horvitz and Thompson 1952, JASA 47). Exactly `size` images
 * (all if there are no more), by systematic sampling in an order that depends only on the ids and on `state`: the same
 * scan draws the same sample. A scan after corrections must not meet the images that the sample before it had
 * corrected: `labelState` gives it an order of its own.
 */
export function drawAudit(
  images: readonly { imageId: string; probability: number }[],
  size: number,
  state = 0,
): Map<string, number> {
  const wanted = Math.min(size, images.length);
  const order = images
    .map((image) => ({ ...image, at: seededRandom('audit', image.imageId, state)() }))
    .sort((a, b) => a.at - b.at || (a.imageId < b.imageId ? -1 : 1));
  const shares = auditChances(
    order.map(({ probability }) => probability),
    wanted,
  );
  const drawn = new Map<string, number>();
  let sum = 0;
  order.forEach(({ imageId }, index) => {
    sum += shares[index] as number;
    // Compared with the number drawn so far: by rounding, a chance of 1 may step over two marks, and the next image
    // takes the second.
    if (drawn.size < Math.floor(sum + 0.5)) drawn.set(imageId, Math.min(1, shares[index] as number));
  });
  return drawn;
}

/**
 * The chance of each image to be drawn, by the probabilities of all images of a scan: they add up to `wanted`, none is
 * above 1; half of them equal, half in proportion to the scan's uncertainty.
 */
export function auditChances(probabilities: readonly number[], wanted: number): number[] {
  const unsure = probabilities.map((probability) => Math.sqrt(probability * (1 - probability)));
  const total = unsure.reduce((a, b) => a + b, 0);
  const raw = unsure.map(
    (value) => AUDIT.even / unsure.length + (1 - AUDIT.even) * (total === 0 ? 1 / unsure.length : value / total),
  );
  const certain = new Set<number>();
  for (;;) {
    const left = wanted - certain.size;
    const rest = raw.reduce((sum, value, index) => (certain.has(index) ? sum : sum + value), 0);
    const over = raw.flatMap((value, index) => (!certain.has(index) && (left * value) / rest >= 1 ? [index] : []));
    if (over.length === 0) return raw.map((value, index) => (certain.has(index) ? 1 : (left * value) / rest));
    for (const index of over) certain.add(index);
  }
}

/** A number that changes with any label; the same in any order of images. */
export function labelState(images: readonly { labelSha256: string }[]): number {
  return images.reduce((sum, { labelSha256 }) => (sum + Number.parseInt(labelSha256.slice(0, 8), 16)) % 2 ** 32, 0);
}

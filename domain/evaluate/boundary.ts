import { IGNORE_INDEX } from '../taxonomy.js';

/** Width of the boundary band as a share of the picture's diagonal (Cheng et al., Boundary IoU, CVPR 2021). */
const BAND_SHARE = 0.02;

/**
 * Boundary IoU of one image as flat triples class, intersection, union: both sides are reduced to pixels of a class
 * within 2 % of the diagonal from a pixel of another value, the picture's edge does not count.
 */
export function countBoundary(
  given: Uint8Array,
  predicted: Uint8Array,
  width: number,
  height: number,
  classes: number,
): number[] {
  const radius = Math.max(1, Math.round(BAND_SHARE * Math.hypot(width, height)));
  const givenBand = nearOtherValue(given, width, height, radius);
  const predictedBand = nearOtherValue(predicted, width, height, radius);
  const intersection = new Uint32Array(256);
  const union = new Uint32Array(256);
  for (let pixel = 0; pixel < given.length; pixel++) {
    const label = given[pixel] as number;
    if (label === IGNORE_INDEX) continue;
    const seen = predicted[pixel] as number;
    const inGiven = givenBand[pixel] === 1;
    const inPredicted = predictedBand[pixel] === 1;
    if (inGiven && inPredicted && label === seen) {
      intersection[label] = (intersection[label] as number) + 1;
      union[label] = (union[label] as number) + 1;
    } else {
      if (inGiven) union[label] = (union[label] as number) + 1;
      if (inPredicted) union[seen] = (union[seen] as number) + 1;
    }
  }
  const triples: number[] = [];
  for (let label = 1; label <= classes; label++) {
    if ((union[label] as number) > 0) triples.push(label, intersection[label] as number, union[label] as number);
  }
  return triples;
}

/** 1 if a pixel of another value is within `radius` (city-block), by two passes of a distance transform. */
function nearOtherValue(values: Uint8Array, width: number, height: number, radius: number): Uint8Array {
  const distance = new Uint16Array(values.length).fill(radius + 1);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const pixel = y * width + x;
      const value = values[pixel];
      if (x > 0) relax(pixel, pixel - 1, value);
      if (y > 0) relax(pixel, pixel - width, value);
    }
  }
  for (let y = height - 1; y >= 0; y--) {
    for (let x = width - 1; x >= 0; x--) {
      const pixel = y * width + x;
      const value = values[pixel];
      if (x < width - 1) relax(pixel, pixel + 1, value);
      if (y < height - 1) relax(pixel, pixel + width, value);
    }
  }
  return Uint8Array.from(distance, (steps) => (steps <= radius ? 1 : 0));

  function relax(pixel: number, neighbour: number, value: number | undefined): void {
    const steps = values[neighbour] === value ? (distance[neighbour] as number) + 1 : 1;
    if (steps < (distance[pixel] as number)) distance[pixel] = steps;
  }
}

import { IGNORE_INDEX } from '../taxonomy.js';

/** Width of the boundary band as a share of the picture's diagonal (Cheng et al., Boundary IoU, CVPR 2021). */
const BAND_SHARE = 0.02;

/**
 * Boundary IoU of one image as flat triples class, intersection, union, as Cheng et al. publish it: both sides are
 * reduced to pixels of a class within 2 % of the diagonal from a pixel of another value. A part that the picture's edge
 * cuts has its boundary there. Ignored pixels leave both sums, as VOID does in the authors' panoptic evaluation.
 */
export function countBoundary(
  given: Uint8Array,
  predicted: Uint8Array,
  width: number,
  height: number,
  classes: number,
): number[] {
  const radius = bandWidth(width, height);
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

/** Width of the band in pixels, at least 1; a half goes to the even neighbour, as in the authors' Python. */
export function bandWidth(width: number, height: number): number {
  const exact = BAND_SHARE * Math.sqrt(width * width + height * height);
  const below = Math.floor(exact);
  const rounded = exact - below === 0.5 ? below + (below % 2) : Math.round(exact);
  return Math.max(1, rounded);
}

/** Of a row's window with several values, or one that leaves the picture. */
const MIXED = 256;

/**
 * 0 if all pixels within `radius` are inside the picture and of one value, else 1. Diagonal steps count as one, as in
 * an erosion by 3x3 squares: a square is of one value if the windows of its rows are, and these values are one.
 */
function nearOtherValue(values: Uint8Array, width: number, height: number, radius: number): Uint8Array {
  const side = 2 * radius + 1;
  const windows = new Uint16Array(values.length).fill(MIXED);
  for (let y = 0; y < height; y++) {
    let run = 0;
    for (let pixel = y * width; pixel < (y + 1) * width; pixel++) {
      run = run > 0 && values[pixel] === values[pixel - 1] ? run + 1 : 1;
      if (run >= side) windows[pixel - radius] = values[pixel] as number;
    }
  }
  const band = new Uint8Array(values.length).fill(1);
  const runs = new Uint32Array(width);
  for (let pixel = 0; pixel < values.length; pixel++) {
    const x = pixel % width;
    const run = pixel >= width && windows[pixel] === windows[pixel - width] ? (runs[x] as number) + 1 : 1;
    runs[x] = run;
    if (run >= side && windows[pixel] !== MIXED) band[pixel - radius * width] = 0;
  }
  return band;
}

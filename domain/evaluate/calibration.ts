import { BACKGROUND, IGNORE_INDEX } from '../taxonomy.js';

/** Bins of equal width over the probability, as in Guo et al., On Calibration of Modern Neural Networks, ICML 2017. */
const BINS = 10;
const FULL = 255;
const FIELDS = 5;

/** Flat groups of five: predicted class, bin, pixels, sum of 255 × probability, pixels predicted rightly; sparse. */
export type CalibrationCounts = number[];

/**
 * Count one image. `given` and `predicted` hold label values, `probabilities` 255 × the network's probability of the
 * predicted class, all of equal length. Given 255 never counts, nor does predicted background.
 */
export function countCalibration(
  given: Uint8Array,
  predicted: Uint8Array,
  probabilities: Uint8Array,
): CalibrationCounts {
  const pixels = new Uint32Array(256 * BINS);
  const claimed = new Float64Array(256 * BINS);
  const right = new Uint32Array(256 * BINS);
  for (let pixel = 0; pixel < given.length; pixel++) {
    const label = given[pixel] as number;
    const seen = predicted[pixel] as number;
    if (label === IGNORE_INDEX || seen === BACKGROUND) continue;
    const p = probabilities[pixel] as number;
    const cell = seen * BINS + Math.min(BINS - 1, Math.floor((p * BINS) / FULL));
    pixels[cell] = (pixels[cell] as number) + 1;
    claimed[cell] = (claimed[cell] as number) + p;
    if (label === seen) right[cell] = (right[cell] as number) + 1;
  }
  const counts: CalibrationCounts = [];
  for (let cell = 0; cell < pixels.length; cell++) {
    const here = pixels[cell] as number;
    if (here > 0)
      counts.push(Math.floor(cell / BINS), cell % BINS, here, claimed[cell] as number, right[cell] as number);
  }
  return counts;
}

/** How well the network's probability of its prediction tells the share of right pixels. */
export interface Calibration {
  /** Mean distance of probability and share of right pixels over the bins, weighted by their pixels. */
  error: number;
  /** Mean probability less the share of right pixels: above 0 if the network is surer than it should be. */
  excess: number;
}

interface Cell {
  pixels: number;
  claimed: number;
  right: number;
}

/** Sums over images by predicted class and bin. */
export class CalibrationSums {
  readonly #classes = new Map<number, Cell[]>();

  add(counts: CalibrationCounts): this {
    for (let at = 0; at + FIELDS <= counts.length; at += FIELDS) {
      const [label, bin, pixels, claimed, right] = counts.slice(at, at + FIELDS) as [
        number,
        number,
        number,
        number,
        number,
      ];
      const cells = this.#classes.get(label) ?? emptyCells();
      this.#classes.set(label, cells);
      const cell = cells[bin];
      if (cell !== undefined) addTo(cell, { pixels, claimed: claimed / FULL, right });
    }
    return this;
  }

  /** Of the pixels predicted as this class; null if there is none. */
  of(label: number): Calibration | null {
    return calibrationOf(this.#classes.get(label) ?? []);
  }

  /** Of the pixels predicted as a part, whichever it is; null if there is none. */
  overall(): Calibration | null {
    const all = emptyCells();
    for (const cells of this.#classes.values())
      for (const [bin, cell] of cells.entries()) addTo(all[bin] as Cell, cell);
    return calibrationOf(all);
  }
}

const emptyCells = (): Cell[] => Array.from({ length: BINS }, () => ({ pixels: 0, claimed: 0, right: 0 }));

function addTo(sum: Cell, { pixels, claimed, right }: Cell): void {
  sum.pixels += pixels;
  sum.claimed += claimed;
  sum.right += right;
}

function calibrationOf(cells: readonly Cell[]): Calibration | null {
  const sum = (of: (cell: Cell) => number): number => cells.reduce((total, cell) => total + of(cell), 0);
  const pixels = sum((cell) => cell.pixels);
  if (pixels === 0) return null;
  return {
    error: sum(({ claimed, right }) => Math.abs(claimed - right)) / pixels,
    excess: sum(({ claimed, right }) => claimed - right) / pixels,
  };
}

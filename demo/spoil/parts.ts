import { regions } from '../car/mask.js';
import type { PlantedError } from './truth.js';

/** One connected region of one class in a label. */
export interface LabelledPart {
  value: number;
  members: readonly number[];
  box: PlantedError['box'];
}

/** The connected parts of a label of `size` square pixels that have at least `least` pixels. */
export function partsOf(pixels: Uint8Array, size: number, least: number): LabelledPart[] {
  const values = Int16Array.from(pixels, (value) => (value === 0 ? -1 : value));
  return [...regions(values, size)]
    .filter(({ area }) => area >= least)
    .map(({ value, members }) => ({ value, members, box: boxOf(members, size) }));
}

/** Box around pixels given by their offsets. */
export function boxOf(members: readonly number[], size: number): PlantedError['box'] {
  let [left, top, right, bottom] = [size, size, 0, 0];
  for (const at of members) {
    const [x, y] = [at % size, Math.floor(at / size)];
    left = Math.min(left, x);
    right = Math.max(right, x + 1);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y + 1);
  }
  return [left, top, right, bottom];
}

/** A copy with the pixels of a part set to `value`. */
export function repainted(pixels: Uint8Array, members: readonly number[], value: number): Uint8Array {
  const copy = Uint8Array.from(pixels);
  for (const at of members) copy[at] = value;
  return copy;
}

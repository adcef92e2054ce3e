import { TAG_NAMES, type Tags } from '../../../tags.js';
import type { ReduceEntry } from '../../types.js';
import { SLICES } from '../thresholds.js';
import { sigmoid } from './logistic.js';

/** Something with a probability of being wrong, and its slices, each written `dimension=value`. */
export interface Sliced {
  slices: readonly string[];
  probability: number;
}

/** The amount added to the log odds of everything in a slice; never above 0. */
export type SliceShifts = ReadonlyMap<string, number>;

/**
 * Labels are assumed to be wrong about equally often in every slice of a dimension (tags, classes). If probabilities in
 * a slice add up to more than elsewhere by more than `slack` standard errors, the model is weak there, and log odds are
 * lowered until they do not. The order within a slice stays, and nothing is ever raised. `chances` has for each slice
 * the number of things that could be wrong in it, so that rates are comparable.
 */
export function learnSliceShifts(
  items: readonly Sliced[],
  chances: ReadonlyMap<string, number>,
  slack: number,
): SliceShifts {
  const members = new Map<string, number[]>();
  items.forEach(({ slices }, index) => {
    for (const slice of slices) {
      const own = members.get(slice);
      if (own === undefined) members.set(slice, [index]);
      else own.push(index);
    }
  });
  const odds = items.map(({ probability }) =>
    Math.log(Math.max(SLICES.bound, probability) / Math.max(SLICES.bound, 1 - probability)),
  );
  const usual = usualRates(items, chances);
  const shifts = new Map<string, number>();
  for (let pass = 0; pass < SLICES.passes; pass++) {
    for (const [slice, own] of members) {
      const n = chances.get(slice) ?? own.length;
      const rate = usual.get(dimensionOf(slice)) ?? 0;
      const most = rate * n + slack * Math.sqrt(rate * Math.max(SLICES.leastRight, 1 - rate) * n);
      const values = own.map((index) => odds[index] as number);
      const shift = shiftTo(values, most);
      if (shift === 0) continue;
      for (const index of own) odds[index] = (odds[index] as number) + shift;
      shifts.set(slice, Math.max(-SLICES.mostShift, (shifts.get(slice) ?? 0) + shift));
    }
  }
  return shifts;
}

/** A probability after the shifts of its slices. */
export function recalibrated(probability: number, slices: readonly string[], shifts: SliceShifts): number {
  const shift = slices.reduce((sum, slice) => sum + (shifts.get(slice) ?? 0), 0);
  if (shift === 0) return probability;
  return sigmoid(Math.log(Math.max(SLICES.bound, probability) / Math.max(SLICES.bound, 1 - probability)) + shift);
}

/** The slices of an image's tags: given tags, otherwise those inferred from the prediction. */
export function tagSlices({ tags, analysis }: Pick<ReduceEntry, 'tags' | 'analysis'>): string[] {
  const known: Partial<Tags> = analysis?.cautiousTags ?? {};
  return TAG_NAMES.flatMap((name) => {
    const value = tags?.[name] ?? known[name] ?? null;
    return value === null ? [] : [`${name}=${value}`];
  });
}

const dimensionOf = (slice: string): string => slice.slice(0, slice.indexOf('='));

/** Wrong things per chance, by dimension. */
function usualRates(items: readonly Sliced[], chances: ReadonlyMap<string, number>): Map<string, number> {
  const wrong = new Map<string, number>();
  const all = new Map<string, number>();
  for (const [slice, n] of chances) all.set(dimensionOf(slice), (all.get(dimensionOf(slice)) ?? 0) + n);
  for (const { slices, probability } of items)
    for (const slice of slices) wrong.set(dimensionOf(slice), (wrong.get(dimensionOf(slice)) ?? 0) + probability);
  return new Map([...all].map(([dimension, n]) => [dimension, (wrong.get(dimension) ?? 0) / Math.max(1, n)]));
}

/** The shift (0 or below) with which the probabilities of these log odds add up to at most `most`. */
function shiftTo(odds: readonly number[], most: number): number {
  const sum = (shift: number): number => odds.reduce((total, value) => total + sigmoid(value + shift), 0);
  if (sum(0) <= most) return 0;
  let [low, high] = [-SLICES.mostShift, 0];
  for (let step = 0; step < SLICES.halvings; step++) {
    const middle = (low + high) / 2;
    if (sum(middle) > most) high = middle;
    else low = middle;
  }
  return low;
}

/** The number of lists that contain each slice. */
export function countSlices(lists: readonly (readonly string[])[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const list of lists) for (const slice of list) counts.set(slice, (counts.get(slice) ?? 0) + 1);
  return counts;
}

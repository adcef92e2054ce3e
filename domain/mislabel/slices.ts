import { TAG_NAMES, type Tags } from '../tags.js';
import { sigmoid } from './logistic.js';
import type { ReduceEntry } from './types.js';

/** Images of a tag value that the whole scan is worth beside them. */
const STRENGTH = 8;

/**
 * How much label and prediction can be expected to agree in pictures like this one, 0..1: the scan's median agreement, moved
 * by how far the median of each of the picture's tag values lies from it. Medians, since some labels are wrong. What the
 * model finds hard throughout (zoomed, dark, rare vehicles) is no sign of a wrong label.
 */
export function learnExpectedAgreement(entries: readonly ReduceEntry[]): (entry: ReduceEntry) => number {
  const all: number[] = [];
  const bySlice = new Map<string, number[]>();
  for (const entry of entries) {
    if (entry.analysis === null) continue;
    const { agreement } = entry.analysis.statistics;
    all.push(agreement);
    for (const slice of slicesOf(entry)) {
      const values = bySlice.get(slice);
      if (values === undefined) bySlice.set(slice, [agreement]);
      else values.push(agreement);
    }
  }
  const overall = median(all);
  const shift = new Map(
    [...bySlice].map(([slice, values]) => [
      slice,
      ((median(values) - overall) * values.length) / (values.length + STRENGTH),
    ]),
  );
  return (entry) =>
    Math.min(
      1,
      Math.max(
        0,
        slicesOf(entry).reduce((sum, slice) => sum + (shift.get(slice) ?? 0), overall),
      ),
    );
}

/** Given tags, else those that the prediction tells. */
function slicesOf({ tags, analysis }: ReduceEntry): string[] {
  const known: Partial<Tags> = analysis?.inferredTags ?? {};
  return TAG_NAMES.flatMap((name) => {
    const value = tags?.[name] ?? known[name] ?? null;
    return value === null ? [] : [`${name}=${value}`];
  });
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 1;
}

const PASSES = 4;
const BOUND = 1e-6;

/**
 * Probabilities of images, lowered in slices in which they are higher on average than everywhere by more than chance (one
 * standard error): labels are taken to be wrong about equally often in every slice, so that what is higher comes from the
 * model's weakness there. The order within a slice stays; nothing is ever raised. Index of the answer = index of the entry.
 */
export function pardonHardSlices(entries: readonly ReduceEntry[], probabilities: readonly number[]): number[] {
  const odds = probabilities.map((p) => Math.log(Math.max(BOUND, p) / Math.max(BOUND, 1 - p)));
  const overall = mean(probabilities);
  const slices = new Map<string, number[]>();
  entries.forEach((entry, index) => {
    for (const slice of slicesOf(entry)) {
      const members = slices.get(slice);
      if (members === undefined) slices.set(slice, [index]);
      else members.push(index);
    }
  });
  for (let pass = 0; pass < PASSES; pass++) {
    for (const members of slices.values()) {
      const most = overall + Math.sqrt((overall * (1 - overall)) / members.length);
      const own = members.map((index) => odds[index] as number);
      if (mean(own.map(sigmoid)) <= most) continue;
      let [low, high] = [-10, 0];
      for (let step = 0; step < 30; step++) {
        const middle = (low + high) / 2;
        if (mean(own.map((value) => sigmoid(value + middle))) > most) high = middle;
        else low = middle;
      }
      for (const index of members) odds[index] = (odds[index] as number) + low;
    }
  }
  return odds.map(sigmoid);
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

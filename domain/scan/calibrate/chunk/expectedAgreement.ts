import { median } from '../../../base/median.js';
import type { ReduceEntry } from '../../types.js';
import { tagSlices } from '../statistics/sliceRecalibration.js';
import { EXPECTED_AGREEMENT } from '../thresholds.js';

/**
 * The expected agreement of label and prediction in pictures like this one, 0..1: the scan's median agreement, moved by
 * the deviations of the medians of the picture's tag values. Medians, since some labels are wrong. Low agreement in
 * pictures that are generally hard for the model (zoomed, dark, rare vehicles) is no sign of a wrong label.
 */
export function learnExpectedAgreement(entries: readonly ReduceEntry[]): (entry: ReduceEntry) => number {
  const all: number[] = [];
  const bySlice = new Map<string, number[]>();
  for (const entry of entries) {
    if (entry.analysis === null) continue;
    const { agreement } = entry.analysis.statistics;
    all.push(agreement);
    for (const slice of tagSlices(entry)) {
      const values = bySlice.get(slice);
      if (values === undefined) bySlice.set(slice, [agreement]);
      else values.push(agreement);
    }
  }
  const overall = median(all) ?? 1;
  const shift = new Map(
    [...bySlice].map(([slice, values]) => [
      slice,
      (((median(values) ?? 1) - overall) * values.length) / (values.length + EXPECTED_AGREEMENT.strength),
    ]),
  );
  return (entry) =>
    Math.min(
      1,
      Math.max(
        0,
        tagSlices(entry).reduce((sum, slice) => sum + (shift.get(slice) ?? 0), overall),
      ),
    );
}

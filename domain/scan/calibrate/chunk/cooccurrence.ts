import type { ReduceEntry } from '../../types.js';
import { COOCCURRENCE } from '../thresholds.js';

/**
 * The fit of a class with the parts that the model sees in a picture: the mean log2 of its frequency beside each of
 * them, -6..0.
 */
export type Plausibility = (classId: number, predictedClasses: readonly number[], except: number) => number;

/**
 * Counts over the scan which parts are labelled in pictures where the model sees which others. So a left door beside a
 * right headlight is suspect without any declaration. `except` does not count as seen, since the question is about it.
 */
export function learnPlausibility(entries: readonly ReduceEntry[], classes: number): Plausibility {
  const size = classes + 1;
  const together = new Float64Array(size * size);
  const seen = new Float64Array(size);
  const labelled = new Float64Array(size);
  let images = 0;
  for (const { analysis } of entries) {
    if (analysis === null) continue;
    images++;
    for (const given of analysis.labelledClasses) labelled[given] = (labelled[given] as number) + 1;
    for (const other of analysis.predictedClasses) {
      seen[other] = (seen[other] as number) + 1;
      for (const given of analysis.labelledClasses) {
        const at = given * size + other;
        together[at] = (together[at] as number) + 1;
      }
    }
  }
  const { strength, least, addedLabelled, addedImages } = COOCCURRENCE;
  return (classId, predictedClasses, except) => {
    const overall = ((labelled[classId] ?? 0) + addedLabelled) / (images + addedImages);
    let sum = 0;
    let count = 0;
    for (const other of predictedClasses) {
      if (other === classId || other === except) continue;
      const both = (together[classId * size + other] ?? 0) + strength * overall;
      sum += Math.max(least, Math.log2(both / ((seen[other] ?? 0) + strength)));
      count++;
    }
    return count === 0 ? Math.max(least, Math.log2(overall)) : sum / count;
  };
}

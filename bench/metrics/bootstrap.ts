import { seededRandom } from '../../domain/base/random.js';

export interface Interval {
  mean: number;
  low: number;
  high: number;
}

/**
 * Mean over groups (seeds) of a statistic, with a 95 % percentile interval: each resample draws the members of each
 * group anew with replacement, within the group (Efron and Tibshirani 1993). Whatever the statistic compares is thus
 * compared on the same members. Resamples on which it is undefined (null) are drawn again, at most ten times as many in
 * all.
 */
export function bootstrapMean(
  sizes: readonly number[],
  statistic: (group: number, members: readonly number[]) => number | null,
  resamples = 2_000,
  seed = 1,
): Interval {
  const random = seededRandom('bench', 'bootstrap', seed);
  const mean = (pick: (size: number) => number[]): number | null => {
    let sum = 0;
    for (const [group, size] of sizes.entries()) {
      const value = statistic(group, pick(size));
      if (value === null) return null;
      sum += value;
    }
    return sum / sizes.length;
  };
  const means: number[] = [];
  for (let tries = 0; tries < 10 * resamples && means.length < resamples; tries++) {
    const value = mean((size) => Array.from({ length: size }, () => Math.floor(random() * size)));
    if (value !== null) means.push(value);
  }
  means.sort((a, b) => a - b);
  const at = (share: number): number =>
    means[Math.min(means.length - 1, Math.floor(share * means.length))] ?? Number.NaN;
  return {
    mean: mean((size) => Array.from({ length: size }, (_, index) => index)) ?? Number.NaN,
    low: at(0.025),
    high: at(0.975),
  };
}

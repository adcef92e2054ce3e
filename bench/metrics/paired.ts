import { normalQuantile } from '../../domain/decide/normal.js';
import type { Interval } from './bootstrap.js';

/** Two-sided 97.5 % quantiles of Student's t by degrees of freedom, 1 to 30. */
const T975 = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11,
  2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
] as const;

const quantile = (freedom: number): number => T975[freedom - 1] ?? normalQuantile(0.975);

/** Mean of paired differences with Student's 95 % interval; null for fewer than two. */
export function pairedInterval(differences: readonly number[]): Interval | null {
  const { length } = differences;
  if (length < 2) return null;
  const mean = differences.reduce((sum, value) => sum + value, 0) / length;
  const half = (quantile(length - 1) * deviation(differences, mean)) / Math.sqrt(length);
  return { mean, low: mean - half, high: mean + half };
}

/**
 * The smallest true difference that so many pairs show with 80 % power at a two-sided level of 5 %, for differences of
 * the given standard deviation (normal approximation, with Student's quantile for the level).
 */
export function detectable(pairs: number, standardDeviation: number): number {
  return ((quantile(Math.max(1, pairs - 1)) + normalQuantile(0.8)) * standardDeviation) / Math.sqrt(pairs);
}

/** Standard deviation of a sample. */
export function deviation(values: readonly number[], mean = values.reduce((a, b) => a + b, 0) / values.length): number {
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, values.length - 1));
}

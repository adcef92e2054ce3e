import { seededRandom } from '../../domain/base/random.js';

/** One bin of a reliability table. */
export interface ReliabilityBin {
  count: number;
  /** Mean probability that was given. */
  claimed: number;
  /** Share that was wrong. */
  observed: number;
}

/**
 * Claims in bins of equal size (adaptive bins: Nixon et al. 2019, arXiv 1904.01685), lowest first; equal claims never
 * lie in two bins.
 */
export function reliability(claims: readonly number[], wrong: readonly boolean[], bins = 10): ReliabilityBin[] {
  const order = claims.map((_, index) => index).sort((a, b) => (claims[a] as number) - (claims[b] as number));
  const size = Math.max(1, Math.ceil(order.length / bins));
  const table: ReliabilityBin[] = [];
  for (let from = 0; from < order.length; ) {
    let to = Math.min(order.length, from + size);
    while (to < order.length && claims[order[to] as number] === claims[order[to - 1] as number]) to++;
    const members = order.slice(from, to);
    table.push({
      count: members.length,
      claimed: members.reduce((sum, index) => sum + (claims[index] as number), 0) / members.length,
      observed: members.filter((index) => wrong[index]).length / members.length,
    });
    from = to;
  }
  return table;
}

/** Expected calibration error: mean gap between claimed and observed over adaptive bins, weighted by their size. */
export function expectedCalibrationError(claims: readonly number[], wrong: readonly boolean[], bins = 10): number {
  const table = reliability(claims, wrong, bins);
  const total = table.reduce((sum, { count }) => sum + count, 0);
  return total === 0
    ? 0
    : table.reduce((sum, { count, claimed, observed }) => sum + count * Math.abs(claimed - observed), 0) / total;
}

const DRAWS = 200;

/**
 * The calibration error that perfectly calibrated claims would show by chance: with few claims per bin, shares are
 * never exact. The mean over outcomes drawn with the claimed probabilities (the consistency resampling of Bröcker and
 * Smith 2007, Weather and Forecasting 22).
 */
export function calibrationErrorByChance(claims: readonly number[], bins = 10): number {
  const random = seededRandom('calibration-by-chance');
  let sum = 0;
  for (let draw = 0; draw < DRAWS; draw++)
    sum += expectedCalibrationError(
      claims,
      claims.map((claim) => random() < claim),
      bins,
    );
  return sum / DRAWS;
}

/**
 * 1 - Brier score over that of the constant claim "the base rate": 0 for the constant, 1 for certainty; null without
 * both outcomes.
 */
export function brierSkill(claims: readonly number[], wrong: readonly boolean[]): number | null {
  const rate = wrong.filter(Boolean).length / Math.max(1, wrong.length);
  const constant = rate * (1 - rate);
  if (constant === 0) return null;
  const brier =
    claims.reduce((sum, claim, index) => sum + (claim - (wrong[index] ? 1 : 0)) ** 2, 0) / Math.max(1, claims.length);
  return 1 - brier / constant;
}

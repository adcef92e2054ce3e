import { logOdds, sigmoid } from '../../scan/calibrate/statistics/logistic.js';
import { BETS } from './thresholds.js';

/** A probability, its log odds multiplied by `slope` and moved by `shift`. */
export function shifted(probability: number, shift: number, slope = 1): number {
  return sigmoid(slope * logOdds(probability, BETS.leastProbability) + shift);
}

/** Log odds: further than any probability is moved. */
export const FURTHEST = 20;
/** Halvings of the interval of shifts. */
export const STEPS = 40;

import { BETS } from './thresholds.js';

/** A probability, its log odds multiplied by `slope` and moved by `shift`. */
export function shifted(probability: number, shift: number, slope = 1): number {
  const kept = Math.min(1 - BETS.leastProbability, Math.max(BETS.leastProbability, probability));
  return 1 / (1 + Math.exp(-(slope * Math.log(kept / (1 - kept)) + shift)));
}

/** Log odds: further than any probability is moved. */
export const FURTHEST = 20;
/** Halvings of the interval of shifts. */
export const STEPS = 40;

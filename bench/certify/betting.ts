import { seededRandom, shuffle } from '../../domain/base/random.js';
import type { Unit } from '../../domain/review/certificate/bound.js';

/** Shares that are tested, from 0 to 1. */
const GRID = 400;
/** Largest part of the capital that is bet. */
const BOLDEST = 0.75;

/**
 * Upper confidence bound for the share of wrong labels: a betting confidence sequence for means of bounded variables
 * with predictable plug-in bets (Waudby-Smith and Ramdas 2024, JRSS B 86), over the answers in random order, each
 * weighted by the inverse of its chance, as differences from the probabilities. It takes draws as if with replacement,
 * which is careful for small populations.
 */
export function bettingBound(units: readonly Unit[], risk: number, seed: number): number {
  const drawn = shuffle(
    units.filter(({ answer }) => answer !== null),
    seededRandom('betting', seed),
  );
  const claimed = units.reduce((sum, { probability }) => sum + probability, 0) / units.length;
  const weight = ({ chance }: Unit): number => drawn.length / (units.length * chance);
  // Terms have the mean share of wrong labels; `most` is the largest that one could be.
  const most = units.reduce((so, unit) => Math.max(so, claimed + weight(unit) * (1 - unit.probability)), 0);
  const terms = drawn.map((unit) => claimed + weight(unit) * ((unit.answer === 'wrong' ? 1 : 0) - unit.probability));
  const bets = plugIn(terms, risk);
  let bound = 1;
  for (let at = GRID; at >= 0; at--) {
    const share = at / GRID;
    let [capital, best] = [0, 0];
    for (const [index, term] of terms.entries()) {
      const bet = Math.min(bets[index] as number, BOLDEST / Math.max(1e-9, most - share));
      capital += Math.log(Math.max(1e-12, 1 + bet * (share - term)));
      best = Math.max(best, capital);
    }
    if (best < Math.log(1 / risk)) return bound;
    bound = share;
  }
  return bound;
}

/** Bets by the mean and variance of the terms before each one. */
function plugIn(terms: readonly number[], risk: number): number[] {
  let [sum, squares] = [0, 0];
  return terms.map((term, at) => {
    const mean = sum / Math.max(1, at);
    const variance = (0.25 + squares) / (at + 1);
    sum += term;
    squares += (term - mean) ** 2;
    return Math.sqrt((2 * Math.log(1 / risk)) / (terms.length * variance));
  });
}

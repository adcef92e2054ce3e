import type { Unit } from './bound.js';
import { FURTHEST, STEPS, shifted } from './shift.js';

/**
 * The expected number of wrong labels: the probabilities, with their log odds shifted so that they fit the answers.
 * Answered images are weighted by the inverse of their chances, so the shift is right on average even if the
 * probabilities rank badly (a difference estimator with a logistic model: Lehtonen and Veijanen 1998). No wrong answer
 * gives 0, no right one all of them.
 */
export function estimateWrong(units: readonly Unit[]): number {
  const probabilityOf = fitToAnswers(units);
  return units.reduce((sum, unit) => sum + probabilityOf(unit.probability), 0);
}

/** The scan's probability of an image -> the same, fitted to the answers; as it is if there is none. */
export function fitToAnswers(units: readonly Unit[]): (probability: number) => number {
  const answered = units.filter(({ answer }) => answer === 'wrong' || answer === 'right');
  if (answered.length === 0) return (probability) => probability;
  if (answered.every(({ answer }) => answer === 'right')) return () => 0;
  if (answered.every(({ answer }) => answer === 'wrong')) return () => 1;
  const excess = (shift: number): number =>
    answered.reduce(
      (sum, { probability, chance, answer }) =>
        sum + (shifted(probability, shift) - (answer === 'wrong' ? 1 : 0)) / chance,
      0,
    );
  let [low, high] = [-FURTHEST, FURTHEST];
  for (let step = 0; step < STEPS; step++) {
    const middle = (low + high) / 2;
    if (excess(middle) < 0) low = middle;
    else high = middle;
  }
  const shift = (low + high) / 2;
  return (probability) => shifted(probability, shift);
}

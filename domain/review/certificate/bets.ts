import { FURTHEST, STEPS, shifted } from './shift.js';
import { BETS } from './thresholds.js';

/** An image of the population, as far as a bet may know it: before any answer. */
export interface Stake {
  /** The scan's probability that the label is wrong, 0..1. */
  probability: number;
  /** The chance with which the image was drawn, above 0 and up to 1. */
  chance: number;
}

/** What a bet gains by each image, as logarithms of factors of its capital. */
export interface Bet {
  /** Gain per wrong label of the population, drawn or not: a claim of more wrong labels is refuted sooner. */
  perWrong: number;
  /** Paid for all images before any is looked at, at most 0. */
  paid: number;
  /** By image, if it is drawn and found wrong: at most what it gains if right. */
  ifWrong: Float64Array;
  /** By image, if it is drawn and found right. */
  ifRight: Float64Array;
}

/**
 * Bets against "at least M labels are wrong", one for each guess of how often labels are wrong, with and without trust
 * in the scan's probabilities. No answer decides any of them.
 *
 * @param spare logarithm of the capital that a bet is to reach; it decides only how good the bets are
 */
export function placeBets(stakes: readonly Stake[], spare: number): Bet[] {
  const few = evenly(stakes, BETS.planned);
  return BETS.slopes.flatMap((slope) =>
    BETS.rates.map((rate) => {
      const guess = guessAt(few, slope, rate);
      return betOf(stakes, guess, bestRate(few, guess, stakes.length / few.length, spare));
    }),
  );
}

/** Probabilities around a guessed mean rate; with slope 0 all are equal. */
function guessAt(few: readonly Stake[], slope: number, rate: number): (probability: number) => number {
  let [low, high] = [-FURTHEST, FURTHEST];
  for (let step = 0; step < STEPS; step++) {
    const shift = (low + high) / 2;
    const mean = few.reduce((sum, { probability }) => sum + shifted(probability, shift, slope), 0) / few.length;
    if (mean < rate) low = shift;
    else high = shift;
  }
  const shift = (low + high) / 2;
  return (probability) => shifted(probability, shift, slope);
}

/** The gain per wrong label that would give the least bound if the guess were true. */
function bestRate(few: readonly Stake[], guess: (probability: number) => number, each: number, spare: number): number {
  const least = few.reduce((so, { chance }) => Math.min(so, chance), 1);
  let best = { bound: Number.POSITIVE_INFINITY, perWrong: 0 };
  for (const part of BETS.strengths) {
    const perWrong = -Math.log(Math.max(1e-6, 1 - part * Math.min(least, BETS.boldest)));
    let expected = 0;
    for (const { probability, chance } of few) {
      const q = guess(probability);
      const { norm, wrong, right } = factors(q, chance, perWrong);
      expected += chance * (q * wrong + (1 - q) * right) - norm;
    }
    const bound = (spare - each * expected) / perWrong;
    if (bound < best.bound) best = { bound, perWrong };
  }
  return best.perWrong || -Math.log(1 - least / 2);
}

function betOf(stakes: readonly Stake[], guess: (probability: number) => number, perWrong: number): Bet {
  const ifWrong = new Float64Array(stakes.length);
  const ifRight = new Float64Array(stakes.length);
  let paid = 0;
  stakes.forEach(({ probability, chance }, index) => {
    const { norm, wrong, right } = factors(guess(probability), chance, perWrong);
    paid -= norm;
    ifWrong[index] = wrong;
    ifRight[index] = right;
  });
  return { perWrong, paid, ifWrong, ifRight };
}

/**
 * Logarithms of an image's factors. An image drawn with chance π multiplies the capital by u if wrong and by v if
 * right. Its mean factor is A = 1 − π + πu if it is wrong, B = 1 − π + πv if it is right. Capital is divided by A or B,
 * so that its mean stays 1 whichever images are wrong. B / A is the same for all images, exp(perWrong): then only the
 * number of wrong images matters, not which they are. Of all such (u, v) this is the pair of the greatest mean
 * logarithm if the image is wrong with probability q: a root of a quadratic equation.
 */
function factors(q: number, chance: number, perWrong: number): { norm: number; wrong: number; right: number } {
  const r = Math.exp(-perWrong);
  const s = 1 - chance;
  const h = 1 + r - chance * (1 - q + q * r);
  const b = (h + Math.sqrt(Math.max(0, h * h - 4 * r * s))) / (2 * r);
  const u = (b * r - s) / chance;
  const v = (b - s) / chance;
  return { norm: Math.log(b), wrong: Math.log(Math.max(u, Number.MIN_VALUE)), right: Math.log(v) };
}

/** At most so many of the list, evenly over its probabilities. */
export function evenly<T extends Stake>(stakes: readonly T[], most: number): T[] {
  const sorted = [...stakes].sort((a, b) => a.probability - b.probability);
  const step = Math.max(1, sorted.length / most);
  return Array.from(
    { length: Math.min(most, sorted.length) },
    (_, at) => sorted[Math.floor((at + 0.5) * step)],
  ).flatMap((stake) => stake ?? []);
}

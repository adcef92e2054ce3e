import { type Bet, placeBets, type Stake } from './bets.js';

/** An image of the population: null if it was not drawn, `open` if it was drawn and nobody has answered yet. */
export interface Unit extends Stake {
  answer: 'wrong' | 'right' | 'open' | null;
}

/**
 * The largest number of wrong labels among `units` that the answers to a random sample do not refute: with probability
 * 1 − `risk` at least the true number, whatever the probabilities are worth. An open answer counts as wrong, so each
 * answer that comes can only lower the number: whoever looks after each one is as safe as who looks once.
 */
export function mostWrong(units: readonly Unit[], risk: number): number {
  const target = -Math.log(risk);
  const bets = placeBets(units, target + SPREAD);
  const capitals = bets.map(({ paid, ifWrong, ifRight }) => {
    let capital = paid;
    units.forEach(({ answer }, at) => {
      if (answer !== null) capital += (answer === 'right' ? ifRight[at] : ifWrong[at]) as number;
    });
    return capital;
  });
  return largestUnrefuted(bets, capitals, units.length, target);
}

/** The least number, in the same way; an open answer counts as right. */
export function leastWrong(units: readonly Unit[], risk: number): number {
  const mirrored = units.map(({ probability, chance, answer }) => ({
    probability: 1 - probability,
    chance,
    answer: answer === 'wrong' ? ('right' as const) : answer === 'right' ? ('wrong' as const) : answer,
  }));
  return units.length - mostWrong(mirrored, risk);
}

/**
 * About the number that `mostWrong` will give if each image is wrong with a probability of its own.
 *
 * @param units each stands for `each` images
 */
export function expectedMostWrong(
  units: readonly (Stake & { isWrong: number })[],
  { each, risk }: { each: number; risk: number },
): number {
  const target = -Math.log(risk);
  const bets = placeBets(units, (target + SPREAD) / each);
  const capitals = bets.map(({ paid, ifWrong, ifRight }) => {
    let capital = paid;
    units.forEach(({ chance, isWrong }, at) => {
      capital += chance * (isWrong * (ifWrong[at] as number) + (1 - isWrong) * (ifRight[at] as number));
    });
    return capital * each;
  });
  return largestUnrefuted(bets, capitals, Math.round(units.length * each), target);
}

/** The mean of the bets' capitals, if M labels are wrong, has a mean of 1: above 1 / risk it refutes that M. */
function largestUnrefuted(
  bets: readonly Bet[],
  capitals: readonly number[],
  population: number,
  target: number,
): number {
  const isRefuted = (wrong: number): boolean =>
    logMeanExp(bets.map(({ perWrong }, index) => (capitals[index] as number) + perWrong * wrong)) >= target;
  let [low, high] = [0, population + 1];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (isRefuted(middle)) high = middle;
    else low = middle;
  }
  return low;
}

/** What it costs about to spread the capital over several bets, as a logarithm. */
const SPREAD = Math.log(4);

function logMeanExp(values: readonly number[]): number {
  const most = Math.max(...values);
  return most + Math.log(values.reduce((sum, value) => sum + Math.exp(value - most), 0) / values.length);
}

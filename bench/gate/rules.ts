import { normalCdf, normalQuantile } from '../../domain/decide/normal.js';
import { spentAlpha } from '../../domain/decide/spending.js';

export const ALPHA = 0.05;
export const LOOKS = 30;

/** How error probability is shared between looks: that of each look. */
export interface Rule {
  name: string;
  alphaAt(look: number): number;
}

/**
 * - `harmonic`: 1/(k(k+1)) of alpha at look k, for a life without end.
 * - `equal`: the gate's.
 * - `joint`: one bound for all looks from their joint distribution, if each look's gain owes half of its variance to
 *   the benchmark, which all share (Dunnett 1955). It holds only until a candidate becomes the benchmark.
 */
export const RULES: readonly Rule[] = [
  { name: 'harmonic', alphaAt: (look) => ALPHA / (look * (look + 1)) },
  { name: 'equal', alphaAt: (look) => spentAlpha(ALPHA, look, LOOKS) },
  { name: 'joint', alphaAt: () => JOINT },
];

const SHARED = 0.5;
const JOINT = 1 - normalCdf(jointQuantile(1 - ALPHA, LOOKS));

export const quantileOf = (rule: Rule, look: number): number => normalQuantile(1 - rule.alphaAt(look));

/** The z that the largest of `looks` equally correlated normal numbers stays below with this probability. */
function jointQuantile(probability: number, looks: number): number {
  let low = 0;
  let high = 8;
  for (let step = 0; step < 50; step++) {
    const middle = (low + high) / 2;
    if (allBelow(middle, looks) < probability) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

function allBelow(z: number, looks: number): number {
  const step = 0.01;
  let sum = 0;
  for (let shared = -8; shared <= 8; shared += step) {
    const density = Math.exp(-(shared ** 2) / 2) / Math.sqrt(2 * Math.PI);
    sum += density * step * normalCdf((z + Math.sqrt(SHARED) * shared) / Math.sqrt(1 - SHARED)) ** looks;
  }
  return sum;
}

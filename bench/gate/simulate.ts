import { gateConfigSchema } from '../../domain/config.js';
import { bounds, type Comparison, comparePaired } from '../../domain/decide/bootstrap.js';
import { decideGate, type GateVerdict } from '../../domain/decide/gate.js';
import { evaluationsOf, type Model, TAXONOMY } from './population.js';
import { ALPHA, LOOKS, RULES, type Rule } from './rules.js';

/** Fewer resamples than the gate's 2,000: the standard error is what counts this far out. */
const RESAMPLES = 500;

const EQUAL: Model = { seed: 'benchmark', gain: 0 };
const LABELS = TAXONOMY.classes.map((_, index) => index + 1);

/** Models that differ from the benchmark in one way, or in luck alone. */
export const CANDIDATES: Readonly<Record<string, Omit<Model, 'seed'>>> = {
  'equally good': { gain: 0 },
  'better by 3 points': { gain: 0.03 },
  'better by 3 points, a class lost': { gain: 0.03, lostClass: 6 },
  'better by 3 points, zoomed worse by 12': { gain: 0.03, zoomedGain: -0.15 },
  'left and right exchanged': { gain: 0.03, mirrors: true },
};

const nameOf = (...parts: (string | number)[]): string => parts.join(' ');

function compared(candidate: Model, testSet: string, units: number): Comparison {
  return comparePaired({
    candidate: evaluationsOf(candidate, testSet, units),
    benchmark: evaluationsOf(EQUAL, testSet, units),
    metric: 'region',
    labels: LABELS,
    resamples: RESAMPLES,
    seed: [candidate.seed, testSet],
  });
}

const promotes = (comparison: Comparison, rule: Rule, look: number): boolean =>
  bounds(comparison, rule.alphaAt(look)).lower > 0;

/**
 * Share of lives in which a candidate that is no better than the benchmark is promoted at any of `LOOKS` looks, by
 * rule. A life has one test set, one benchmark, and a new candidate at each look.
 */
export function falsePromotions(units: number, lives: number, told: (life: number) => void): Map<string, number> {
  const promoted = new Map(RULES.map(({ name }) => [name, 0]));
  for (let life = 0; life < lives; life++) {
    told(life);
    const open = new Set(RULES);
    for (let look = 1; look <= LOOKS; look++) {
      const comparison = compared({ seed: nameOf('null', life, look), gain: 0 }, nameOf('life', life), units);
      for (const rule of open)
        if (promotes(comparison, rule, look)) {
          open.delete(rule);
          promoted.set(rule.name, (promoted.get(rule.name) ?? 0) + 1);
        }
    }
  }
  return new Map([...promoted].map(([name, count]) => [name, count / lives]));
}

/** Power of a rule at a look. */
export interface Power {
  rule: string;
  look: number;
  power: number;
}

/** How often a candidate that is better by `gain` is promoted, by rule and look. */
export function powerOf(gain: number, units: number, pairs: number, looks: readonly number[]): Power[] {
  const comparisons = Array.from({ length: pairs }, (_, pair) =>
    compared({ seed: nameOf('better', gain, pair), gain }, nameOf('pair', pair), units),
  );
  return RULES.flatMap((rule) =>
    looks.map((look) => ({
      rule: rule.name,
      look,
      power: comparisons.filter((comparison) => promotes(comparison, rule, look)).length / pairs,
    })),
  );
}

/** Verdicts on one kind of candidate. */
export interface Refusals {
  candidate: string;
  promoted: number;
  rejected: number;
  /** Rejected because a slice got worse. */
  bySlices: number;
  /** Rejected because a class was lost. */
  byClass: number;
}

/** What the whole gate says of each kind of candidate at a look, as shares of `pairs`. */
export function refusals(units: number, look: number, pairs: number): Refusals[] {
  const config = gateConfigSchema.parse({ alpha: ALPHA, plannedLooks: LOOKS, resamples: RESAMPLES });
  return Object.entries(CANDIDATES).map(([name, worth]) => {
    const verdicts = Array.from({ length: pairs }, (_, pair): GateVerdict => {
      const testSet = nameOf('pair', pair);
      return decideGate({
        candidate: evaluationsOf({ ...worth, seed: nameOf(name, pair) }, testSet, units),
        benchmark: evaluationsOf(EQUAL, testSet, units),
        ...{ leftOut: [], taxonomy: TAXONOMY, config, look, trainedVehicles: null, seed: pair },
      });
    });
    const share = (holds: (verdict: GateVerdict) => boolean): number => verdicts.filter(holds).length / pairs;
    return {
      candidate: name,
      promoted: share(({ outcome }) => outcome === 'promoted'),
      rejected: share(({ outcome }) => outcome === 'rejected'),
      bySlices: share(({ slices }) => slices.some(({ outcome }) => outcome === 'fail')),
      byClass: share(({ lostClasses }) => lostClasses.length > 0),
    };
  });
}

import { POSITIVE_UNLABELLED } from '../thresholds.js';
import { type Coefficients, fitLogistic, logit, sigmoid } from './logistic.js';

/** A row and the group whose share of wrong ones it has. */
export interface GroupedRow {
  group: string;
  row: readonly number[];
  /** How many rows it stands for, or how far it counts at all; 1 where left out. */
  weight?: number;
}

/** A detector of wrong things: P(wrong | x, group) = sigmoid(w · x + logOdds[group]). */
export interface PositiveUnlabelledFit {
  coefficients: number[];
  /** Log odds of being wrong a group, before looking, with the correction of its likelihood ratio. */
  logOdds: Record<string, number>;
  /** Estimated share of wrong ones among the unknown of a group. */
  shares: Record<string, number>;
}

export interface PositiveUnlabelledOptions {
  /** Coefficients the fit starts from and is pulled to; they are log likelihood ratios. */
  prior: Coefficients;
  ridge: number;
  /**
   * Wrong rows expected of a group before looking, and how many rows that expectation is worth: a group with fewer rows
   * than that is expected to be mostly wrong, one with many more to be mostly right.
   */
  expected: number;
  strength: number;
}

/**
 * Learns from injected errors (`wrong`) and from what the scan found as it is (`unknown`: right ones and wrong ones
 * nobody has told apart). Logistic regression of one against the other, each group balanced, gives the log likelihood
 * ratio. How many of a group's unknown rows are wrong is first bounded from above: were a share s of the injected rows
 * above a score, no more than (unknown rows above it) / s can be wrong (mixture proportion estimation: Blanchard, Lee
 * and Scott 2010, JMLR 11); expectation maximisation goes on from there (Saerens et al. 2002, Neural Computation 14),
 * and the larger of the two is taken. Then unknown rows that look wrong lose their weight as examples of right ones,
 * and again.
 */
export function fitPositiveUnlabelled(
  wrong: readonly GroupedRow[],
  unknown: readonly GroupedRow[],
  options: PositiveUnlabelledOptions,
): PositiveUnlabelledFit {
  const positives = thin(wrong);
  const negatives = thin(unknown);
  const scale = unknown.length === 0 ? 1 : negatives.length / unknown.length;
  const expecting = { ...options, expected: options.expected * scale };
  const groups = [...new Set([...positives, ...negatives].map(({ group }) => group))].sort();
  const rows = [...positives, ...negatives].map(({ row }) => row);
  const targets = [...positives.map(() => 1), ...negatives.map(() => 0)];
  let coefficients = [...options.prior];
  let estimates = estimate(groups, positives, negatives, coefficients, expecting);
  for (let round = 0; round < POSITIVE_UNLABELLED.rounds && positives.length > 0 && negatives.length > 0; round++) {
    const posteriors = negatives.map(({ group, row }) =>
      sigmoid(logit(coefficients, row) + (estimates.logOdds[group] as number)),
    );
    const weights = balanced(groups, positives, negatives, posteriors);
    coefficients = fitLogistic(rows, targets, weights, options.prior, options.ridge);
    estimates = estimate(groups, positives, negatives, coefficients, expecting);
  }
  return { coefficients, ...estimates };
}

/** A group that was never seen has the odds of an even one. */
export function probabilityWrong(detector: PositiveUnlabelledFit, { group, row }: GroupedRow): number {
  return sigmoid(logit(detector.coefficients, row) + (detector.logOdds[group] ?? 0));
}

const logOdds = (share: number): number => Math.log(share / (1 - share));

/**
 * Both sides of a group weigh the same, the more the more there are of either; without one of them nothing is learned.
 */
function balanced(
  groups: readonly string[],
  positives: readonly GroupedRow[],
  negatives: readonly GroupedRow[],
  posteriors: readonly number[],
): number[] {
  const injected = new Map(groups.map((group) => [group, 0]));
  const right = new Map(groups.map((group) => [group, 0]));
  const count = new Map(groups.map((group) => [group, 0]));
  const add = (map: Map<string, number>, group: string, value: number): void => {
    map.set(group, (map.get(group) ?? 0) + value);
  };
  for (const { group, weight = 1 } of positives) {
    add(injected, group, weight);
    add(count, group, 1);
  }
  negatives.forEach(({ group, weight = 1 }, index) => {
    add(right, group, weight * (1 - (posteriors[index] as number)));
  });
  const total = (group: string): number => Math.sqrt((count.get(group) ?? 0) * (right.get(group) ?? 0));
  return [
    ...positives.map(({ group, weight = 1 }) => (weight * total(group)) / Math.max(1e-9, injected.get(group) ?? 0)),
    ...negatives.map(
      ({ group, weight = 1 }, index) =>
        (weight * (1 - (posteriors[index] as number)) * total(group)) / Math.max(1e-9, right.get(group) ?? 0),
    ),
  ];
}

function estimate(
  groups: readonly string[],
  positives: readonly GroupedRow[],
  negatives: readonly GroupedRow[],
  coefficients: Coefficients,
  options: PositiveUnlabelledOptions,
): Pick<PositiveUnlabelledFit, 'logOdds' | 'shares'> {
  const shares: Record<string, number> = {};
  const odds: Record<string, number> = {};
  for (const group of groups) {
    const own = (items: readonly GroupedRow[]): Scored[] =>
      items
        .filter((item) => item.group === group)
        .map(({ row, weight = 1 }) => ({ score: logit(coefficients, row), weight }));
    const injected = own(positives);
    const shift = shiftOf(injected);
    const moved = (items: Scored[]): Scored[] => items.map(({ score, weight }) => ({ score: score + shift, weight }));
    const share = shareOf(moved(injected), moved(own(negatives)), options);
    shares[group] = share;
    odds[group] = logOdds(share) + shift;
  }
  return { shares, logOdds: odds };
}

/**
 * What a group's log likelihood ratios have to be raised by: their mean over wrong ones is a Kullback-Leibler
 * divergence and cannot be negative, but a prior without right ones to correct it can make it so.
 */
function shiftOf(injected: readonly Scored[]): number {
  if (injected.length < POSITIVE_UNLABELLED.few) return 0;
  const total = injected.reduce((sum, { weight }) => sum + weight, 0);
  return Math.max(0, -injected.reduce((sum, { score, weight }) => sum + weight * score, 0) / total);
}

interface Scored {
  score: number;
  weight: number;
}

function shareOf(
  injected: readonly Scored[],
  unknown: readonly Scored[],
  { expected, strength }: PositiveUnlabelledOptions,
): number {
  const total = unknown.reduce((sum, { weight }) => sum + weight, 0);
  const before = Math.min(
    POSITIVE_UNLABELLED.mostExpected,
    Math.max(POSITIVE_UNLABELLED.leastExpected, expected / Math.max(1e-9, total)),
  );
  if (total === 0) return before;
  const bound = injected.length < POSITIVE_UNLABELLED.few ? before * total : mostWrong(injected, unknown);
  const most = clamp((bound + before * strength) / (total + strength));
  let share = most;
  for (let step = 0; step < POSITIVE_UNLABELLED.shareSteps; step++) {
    const offset = logOdds(share);
    let sum = 0;
    for (const { score, weight } of unknown) sum += weight * sigmoid(score + offset);
    const next = clamp((sum + before * strength) / (total + strength));
    if (Math.abs(next - share) < POSITIVE_UNLABELLED.shareTolerance) break;
    share = next;
  }
  // Where nothing but wrong rows looks injected, every share explains the rows equally well, and maximisation drifts
  // down to none: the bound holds then. It is too low where injected errors are plainer than real ones; then
  // maximisation leads.
  return Math.max(share, most);
}

/**
 * No more than this many of the unknown can be wrong, if wrong ones score as injected ones do; about one deviation of
 * slack.
 */
function mostWrong(injected: readonly Scored[], unknown: readonly Scored[]): number {
  const sorted = [...injected].sort((a, b) => b.score - a.score);
  const all = sorted.reduce((sum, { weight }) => sum + weight, 0);
  let bound = unknown.reduce((sum, { weight }) => sum + weight, 0);
  let above = 0;
  let depth = 0;
  for (const { score, weight } of sorted) {
    above += weight;
    if (above < (POSITIVE_UNLABELLED.depths[depth] ?? 2) * all - 1e-9) continue;
    depth++;
    const count = unknown.reduce((sum, row) => (row.score >= score ? sum + row.weight : sum), 0);
    bound = Math.min(bound, ((count + POSITIVE_UNLABELLED.slack * Math.sqrt(count + 1)) * all) / above);
  }
  return bound;
}

const clamp = (share: number): number =>
  Math.min(POSITIVE_UNLABELLED.mostShare, Math.max(POSITIVE_UNLABELLED.leastShare, share));

/** At most 20,000 rows, evenly spread: enough for a dozen coefficients. */
function thin<T>(rows: readonly T[]): T[] {
  if (rows.length <= POSITIVE_UNLABELLED.mostRows) return [...rows];
  return Array.from(
    { length: POSITIVE_UNLABELLED.mostRows },
    (_, index) => rows[Math.floor((index * rows.length) / POSITIVE_UNLABELLED.mostRows)] as T,
  );
}

import { POSITIVE_UNLABELLED } from '../thresholds.js';
import { type Coefficients, fitLogistic, logit, sigmoid } from './logistic.js';

/** A row and its group; rows of a group share one share of wrong ones. */
export interface GroupedRow {
  group: string;
  row: readonly number[];
  /** The number of rows that it stands for, or the degree to which it counts; 1 if omitted. */
  weight?: number;
}

/** A detector of wrong things: P(wrong | x, group) = sigmoid(w · x + logOdds[group]). */
export interface PositiveUnlabelledFit {
  coefficients: number[];
  /** Prior log odds of being wrong per group, with the correction of its likelihood ratio. */
  logOdds: Record<string, number>;
  /** Estimated share of wrong ones among the unknown rows of a group. */
  shares: Record<string, number>;
}

export interface PositiveUnlabelledOptions {
  /** Coefficients from which the fit starts and towards which it is pulled; they are log likelihood ratios. */
  prior: Coefficients;
  ridge: number;
  /**
   * Expected number of wrong rows in a group before looking, and the weight of that expectation in rows. A group with
   * fewer rows than expected wrong ones is expected to be mostly wrong, one with many more to be mostly right.
   */
  expected: number;
  strength: number;
  /** A share of wrong ones that is known from elsewhere: every group has at least this; 0 if omitted. */
  atLeast?: number;
}

/**
 * Learns from injected errors (`wrong`) and from the scan's own candidates (`unknown`: right and wrong ones, not told
 * apart). Logistic regression of one against the other, each group balanced, gives the log likelihood ratio. The number
 * of wrong ones among a group's unknown rows is first bounded from above: if a share s of the injected rows is above a
 * score, at most (unknown rows above it) / s can be wrong (mixture proportion estimation: Blanchard, Lee and Scott
 * 2010, JMLR 11); expectation maximisation continues from there (Saerens et al. 2002, Neural Computation 14), and the
 * larger of the two counts. Then unknown rows that look wrong lose their weight as examples of right ones, and the fit
 * is repeated.
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

/** An unknown group has even odds. */
export function probabilityWrong(detector: PositiveUnlabelledFit, { group, row }: GroupedRow): number {
  return sigmoid(logit(detector.coefficients, row) + (detector.logOdds[group] ?? 0));
}

const logOdds = (share: number): number => Math.log(share / (1 - share));

/**
 * Both sides of a group weigh the same. The weight grows with the size of either; if one side is missing, nothing is
 * learned.
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
 * The amount by which a group's log likelihood ratios must be raised. Their mean over wrong ones is a Kullback-Leibler
 * divergence and cannot be negative, but a prior can make it so if there are no right ones to correct it.
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
  { expected, strength, atLeast = 0 }: PositiveUnlabelledOptions,
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
  // If only wrong rows look injected, every share explains the rows equally well, and maximisation drifts down to 0:
  // then the bound decides. The bound is too low if injected errors are plainer than real ones: then maximisation
  // decides.
  return Math.max(share, most, clamp(atLeast));
}

/**
 * The largest possible number of wrong ones among the unknown, if they score like injected ones; with about one
 * deviation of slack.
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

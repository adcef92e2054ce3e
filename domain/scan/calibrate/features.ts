import type { FindingKind } from '../../tables.js';
import type { Candidate, ImageStatistics } from '../types.js';
import type { Coefficients } from './logistic.js';

/**
 * What is judged together: kinds of one family share their slopes. Errors of the whole label have a family each and come
 * first, since what they explain says nothing about those that follow; but what an empty label leaves out are missing parts like any
 * others.
 */
export const FAMILY_NAMES = ['mirrored', 'displaced', 'outline', 'missing', 'class', 'shape', 'rule', 'empty'] as const;
export type Family = (typeof FAMILY_NAMES)[number];

type Judgeable = Pick<Candidate, 'kind' | 'area' | 'features' | 'suggestedClassId' | 'classId'>;

/** Whether a candidate speaks of the label as a whole, not of one region of it. */
export function isWhole({
  kind,
  classId,
  suggestedClassId,
}: Pick<Candidate, 'kind' | 'suggestedClassId' | 'classId'>): boolean {
  return (
    kind === 'mirrored' ||
    kind === 'empty_label' ||
    ((kind === 'shifted' || kind === 'bad_outline') && classId === 0 && suggestedClassId === null)
  );
}

/** Whole-label readings that are held against the label as it stands: `gain` is how much better they fit. */
function isReading(candidate: Pick<Candidate, 'kind' | 'suggestedClassId' | 'classId'>): boolean {
  return isWhole(candidate) && (candidate.kind === 'mirrored' || candidate.kind === 'shifted');
}

/** Candidates of one group are assumed to be wrong equally often before they are looked at. */
export function groupOf(candidate: Pick<Candidate, 'kind' | 'suggestedClassId' | 'classId'>): string {
  return isWhole(candidate) ? `${candidate.kind}*` : candidate.kind;
}

/** Kinds that a part-level error of another kind also shows as. */
const ALSO_SHOWS: Partial<Record<FindingKind, readonly FindingKind[]>> = {
  hole: ['missing_part'],
  wrong_class: ['merged_or_split'],
  merged_or_split: ['wrong_class'],
};
const RULE_EVIDENCE: readonly FindingKind[] = ['wrong_class', 'swapped', 'extra_part', 'merged_or_split', 'shifted'];

/**
 * Whether a candidate that lies on an injected error is an example of its own kind: errors of the whole label also look like
 * many small ones, which must not teach what a small one looks like.
 */
export function teaches(
  candidate: Pick<Candidate, 'kind' | 'suggestedClassId' | 'classId'>,
  injected: { kind: FindingKind; whole: boolean },
): boolean {
  if (isWhole(candidate) !== injected.whole) return false;
  if (familyOf(candidate) === 'rule') return RULE_EVIDENCE.includes(injected.kind);
  return candidate.kind === injected.kind || ALSO_SHOWS[candidate.kind]?.includes(injected.kind) === true;
}

const FAMILY_OF: Record<FindingKind, Family> = {
  missing_part: 'missing',
  hole: 'missing',
  wrong_class: 'class',
  swapped: 'class',
  extra_part: 'class',
  merged_or_split: 'class',
  shifted: 'shape',
  bad_outline: 'shape',
  mirrored: 'mirrored',
  empty_label: 'empty',
  duplicate_conflict: 'rule',
  unreadable: 'rule',
  impossible_view: 'rule',
  impossible_pair: 'rule',
  wrong_side: 'rule',
  odd_neighbours: 'rule',
  odd_size: 'rule',
  too_many: 'rule',
};

export function familyOf(candidate: Pick<Candidate, 'kind' | 'suggestedClassId' | 'classId'>): Family {
  if (isWhole(candidate)) {
    if (candidate.kind === 'shifted') return 'displaced';
    if (candidate.kind === 'bad_outline') return 'outline';
  }
  return FAMILY_OF[candidate.kind];
}

/** What the chunk knows of the classes of a candidate; threshold and IoU are those of the class that it claims, 0..1. */
export interface ClaimedClass {
  /** Confident-learning threshold. */
  threshold: number;
  /** IoU of label and prediction over the scan. */
  iou: number;
  /** How well the given and the suggested class fit the other parts in the picture (`Plausibility`); 0 for no part. */
  givenFit: number;
  suggestedFit: number;
  /** log of the candidate's area over the median area of its class; 0 where that is not known. */
  relativeSize: number;
}

/** A candidate as a row for its family's regression: 1, then the measurements on comparable scales. */
export function candidateRow(candidate: Judgeable, claimed: ClaimedClass, pixels: number): number[] {
  const { area, features } = candidate;
  // How badly another reading fits says nothing, and beyond a quarter of the car a better one is beyond doubt.
  const gain = isReading(candidate) ? Math.max(-0.05, Math.min(0.25, features.gain)) : features.gain;
  const size = Math.log((1_000 * area) / Math.max(1, pixels)) / 3;
  return [
    1,
    features.confidence - claimed.threshold,
    features.disagreement,
    features.coverage,
    Math.max(-1, Math.min(2, size)),
    features.compactness,
    features.enclosure,
    features.absent,
    features.balance / 3,
    features.context,
    5 * gain,
    claimed.iou,
    // Each of the three alone is often high by chance, all together hardly ever.
    features.confidence * features.disagreement * features.coverage,
    claimed.givenFit / 2,
    claimed.suggestedFit / 2,
    Math.max(-3, Math.min(1, claimed.relativeSize)) / 2,
    5 * (features.spill ?? 0),
    10 * (features.fullness ?? 0),
    Math.min(2, features.broken ?? 0),
    2 * (features.fitting ?? 0),
    0,
  ];
}

/** Kinds of a family other than its first, whose intercepts are told apart. */
const INTERCEPTS: Record<Family, readonly FindingKind[]> = {
  missing: ['hole'],
  class: ['swapped', 'extra_part', 'merged_or_split'],
  shape: ['bad_outline'],
  mirrored: [],
  displaced: [],
  empty: [],
  outline: [],
  rule: ['impossible_view', 'impossible_pair', 'wrong_side', 'odd_neighbours', 'odd_size'],
};

/** The row of a candidate in its family: `candidateRow` and one indicator for each further kind. */
export function familyRow(candidate: Judgeable, claimed: ClaimedClass, pixels: number): number[] {
  return [
    ...candidateRow(candidate, claimed, pixels),
    ...INTERCEPTS[familyOf(candidate)].map((kind) => (kind === candidate.kind ? 1 : 0)),
  ];
}

const SLOPES: Record<Family, Coefficients> = {
  //           1    conf disag cover size compact enclose absent balance clarity gain iou all given suggested relative spill full broken fitting company
  missing: [-7, 2, 1.5, 1, 0.8, 1, 1.5, 0.7, -1.5, 1, 0, 0.5, 2, 0, 0.7, 0.7, 0, 0, 0, 0.5, 1],
  class: [-7, 2, 2, 1, 0.5, 0.5, 0, 0.7, 0, 1, 0, 0.5, 3, -0.7, 0.5, 0.5, 0, 0, 1, 1, 0],
  shape: [-5, 1, 1, 0, 0.3, 0, 0, 0, 0, 1, 1.2, 0.5, 0, 0, 0, 0, 0, 0, 0, 0, 0],
  mirrored: [-2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
  displaced: [-3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
  empty: [1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
  outline: [-5, 0, -2, 0, 0, 0, 0, 0, 2, 0, 2, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0],
  rule: [-1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0.2, 0, 0, -0.3, 0, 0, 0, 0, 0, 0, 0],
};

/** The last column of `candidateRow`, 0 until the others in the same label are known (`withinLabel.ts`). */
export const OTHERS_COLUMN = SLOPES.missing.length - 1;

/**
 * What a family's coefficients are before any data: signs and sizes seen on corrected labels of real photos. Nobody has to learn what
 * an empty label looks like: none is injected, and its prior stands.
 */
export function familyPrior(family: Family): Coefficients {
  return [...SLOPES[family], ...INTERCEPTS[family].map((kind) => (kind === 'hole' ? -1 : 0))];
}

/**
 * An image as a row of the image regression. `expected` is the agreement that is usual for such pictures, `probabilities` are
 * those of its candidates.
 */
export function imageRow(statistics: ImageStatistics, expected: number, probabilities: readonly number[]): number[] {
  const best = Math.max(1e-4, ...probabilities);
  const bounded = Math.min(0.999, best);
  const several = probabilities.reduce((sum, p) => sum - Math.log1p(-Math.min(0.98, p)), 0);
  return [
    1,
    Math.log(bounded / (1 - bounded)) / 3,
    Math.min(2, several / 3),
    Math.sqrt(statistics.unlabelledMass),
    Math.sqrt(statistics.holeMass),
    Math.sqrt(statistics.relabelledMass),
    Math.sqrt(statistics.extraMass),
    Math.min(2, statistics.absentParts / 2),
    2 * statistics.agreement,
    2 * statistics.clarity,
    4 * (expected - 0.8),
  ];
}

export const IMAGE_PRIOR: Coefficients = [-1, 2, 1.5, 2, 0.5, 1, 0.5, 0.5, 0, 0, 0];

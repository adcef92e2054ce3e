import type { FindingKind } from '../tables.js';
import type { Coefficients } from './logistic.js';
import type { Candidate, ImageStatistics } from './types.js';

/** Kinds that share their slopes; within a family each kind has its own intercept. */
export const FAMILIES = {
  missing: ['missing_part', 'hole'],
  class: ['wrong_class', 'swapped', 'extra_part', 'merged_or_split'],
  shape: ['shifted', 'bad_outline', 'mirrored', 'empty_label', 'impossible_view', 'too_many'],
} as const satisfies Record<string, readonly FindingKind[]>;
export type Family = keyof typeof FAMILIES;
export const FAMILY_NAMES = Object.keys(FAMILIES) as Family[];

export function familyOf(kind: FindingKind): Family {
  return FAMILY_NAMES.find((family) => (FAMILIES[family] as readonly string[]).includes(kind)) ?? 'shape';
}

/**
 * A candidate as a row for its family's regression: 1, the measurements, then one indicator a kind. `threshold` is the
 * confident-learning threshold of the class that the model claims (0..1).
 */
export function candidateRow(
  candidate: Pick<Candidate, 'kind' | 'area' | 'features'>,
  threshold: number,
  pixels: number,
): number[] {
  const { features } = candidate;
  const size = Math.log((1_000 * candidate.area) / Math.max(1, pixels)) / 3;
  return [
    1,
    features.confidence - threshold,
    features.disagreement,
    features.coverage,
    Math.max(-1, Math.min(2, size)),
    features.compactness,
    features.enclosure,
    features.absent,
    features.balance / 3,
    features.context,
    features.gain,
    ...FAMILIES[familyOf(candidate.kind)].map((kind) => (kind === candidate.kind ? 1 : 0)),
  ];
}

const SLOPES: Record<Family, Coefficients> = {
  //        1   conf  disag cover size compact enclose absent balance context gain
  missing: [-4, 2.5, 2, 1.5, 0.8, 1, 1.5, 0.7, -1.5, 1, 0],
  class: [-4, 2.5, 3, 1, 0.5, 0.5, 0, 0.7, 0, 1.5, 0],
  shape: [-4, 1, 1, 0, 0.3, 0, 0, 0, 0, 1, 8],
};

/** What a family's coefficients are before any data: signs and sizes seen on corrected labels of real photos. */
export function familyPrior(family: Family): Coefficients {
  const kinds: Partial<Record<FindingKind, number>> = {
    hole: -0.5,
    bad_outline: -2,
    empty_label: 3,
    impossible_view: -1,
    too_many: -1,
  };
  return [...SLOPES[family], ...FAMILIES[family].map((kind) => kinds[kind] ?? 0)];
}

/** An image as a row of the image regression. `probabilities` are those of its candidates. */
export function imageRow(statistics: ImageStatistics, probabilities: readonly number[]): number[] {
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
    statistics.agreement,
  ];
}

export const IMAGE_PRIOR: Coefficients = [-1, 1.5, 1, 3, 1, 1, 0.5, 0.7, 0];

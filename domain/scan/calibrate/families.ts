import type { FindingKind } from '../../tables.js';
import type { Candidate } from '../types.js';

type Kindred = Pick<Candidate, 'kind' | 'suggestedClassId' | 'classId'>;

/**
 * Families of kinds that are judged together: they share their slopes. Each error of the whole label has its own
 * family. These come first, since the candidates that they explain are no examples for later families. Parts that an
 * empty label leaves out are missing parts like any others.
 */
export const FAMILY_NAMES = ['mirrored', 'displaced', 'outline', 'missing', 'class', 'shape', 'rule', 'empty'] as const;
export type Family = (typeof FAMILY_NAMES)[number];

/** Whether a candidate concerns the label as a whole, not one region of it. */
export function isWhole({ kind, classId, suggestedClassId }: Kindred): boolean {
  return (
    kind === 'mirrored' ||
    kind === 'empty_label' ||
    ((kind === 'shifted' || kind === 'bad_outline') && classId === 0 && suggestedClassId === null)
  );
}

/** Whole-label readings that are compared with the label as it is: `gain` is the improvement of the fit. */
export function isReading(candidate: Kindred): boolean {
  return isWhole(candidate) && (candidate.kind === 'mirrored' || candidate.kind === 'shifted');
}

/** Candidates of one group have the same prior probability of being wrong. */
export function groupOf(candidate: Kindred): string {
  return isWhole(candidate) ? `${candidate.kind}*` : candidate.kind;
}

/** Kinds as which a part-level error of another kind also appears. */
const ALSO_SHOWS: Partial<Record<FindingKind, readonly FindingKind[]>> = {
  hole: ['missing_part'],
  wrong_class: ['merged_or_split'],
  merged_or_split: ['wrong_class'],
};
/** Injected errors of which a broken rule is an example. */
const BREAKS_RULES: readonly FindingKind[] = ['wrong_class', 'swapped', 'extra_part', 'merged_or_split', 'shifted'];

/**
 * Whether a candidate that lies on an injected error is an example of its own kind: errors of the whole label also look
 * like many small ones, which must not be examples of small errors.
 */
export function teaches(candidate: Kindred, injected: { kind: FindingKind; whole: boolean }): boolean {
  if (isWhole(candidate) !== injected.whole) return false;
  if (familyOf(candidate) === 'rule') return BREAKS_RULES.includes(injected.kind);
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

export function familyOf(candidate: Kindred): Family {
  if (isWhole(candidate)) {
    if (candidate.kind === 'shifted') return 'displaced';
    if (candidate.kind === 'bad_outline') return 'outline';
  }
  return FAMILY_OF[candidate.kind];
}

/** Kinds of a family other than its first; each has its own intercept. */
export const FURTHER_KINDS: Record<Family, readonly FindingKind[]> = {
  missing: ['hole'],
  class: ['swapped', 'extra_part', 'merged_or_split'],
  shape: ['bad_outline'],
  mirrored: [],
  displaced: [],
  empty: [],
  outline: [],
  rule: ['impossible_view', 'impossible_pair', 'wrong_side', 'odd_neighbours', 'odd_size'],
};

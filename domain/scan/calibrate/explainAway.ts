import { boxIou } from '../../geometry/boxIou.js';
import type { FindingKind } from '../../tables.js';
import { MISSING } from '../image/thresholds.js';
import type { Candidate } from '../types.js';
import { familyOf, isWhole } from './families.js';
import { EXPLAIN_AWAY } from './thresholds.js';

/** What tells how candidates of one label explain each other. */
export type ComparedCandidate = Pick<Candidate, 'kind' | 'classId' | 'suggestedClassId' | 'box'> & {
  features: Pick<Candidate['features'], 'coverage' | 'disagreement'>;
};

/**
 * Kinds of errors of single parts that an error of the whole label causes; all others in such a label are still judged
 * separately.
 */
const EXPLAINS: Partial<Record<FindingKind, readonly FindingKind[]>> = {
  mirrored: [
    'swapped',
    'wrong_class',
    'merged_or_split',
    'impossible_view',
    'too_many',
    'shifted',
    'bad_outline',
    'extra_part',
  ],
  shifted: [
    'missing_part',
    'extra_part',
    'wrong_class',
    'merged_or_split',
    'bad_outline',
    'shifted',
    'hole',
    'too_many',
    'mirrored',
    'swapped',
  ],
  bad_outline: [
    'missing_part',
    'extra_part',
    'wrong_class',
    'merged_or_split',
    'bad_outline',
    'shifted',
    'hole',
    'too_many',
  ],
  empty_label: ['missing_part', 'hole'],
};
/** Kinds that repeat what another candidate about the same region says better, with the kinds of that candidate. */
const REPEATS: Partial<Record<FindingKind, readonly FindingKind[]>> = {
  too_many: ['wrong_class', 'swapped', 'extra_part', 'shifted', 'merged_or_split'],
  impossible_view: ['wrong_class', 'swapped', 'extra_part'],
  impossible_pair: ['wrong_class', 'swapped', 'extra_part'],
  odd_neighbours: ['wrong_class', 'swapped', 'extra_part', 'shifted'],
  wrong_side: ['wrong_class', 'swapped', 'extra_part'],
  odd_size: ['wrong_class', 'extra_part', 'merged_or_split', 'bad_outline'],
  hole: ['missing_part'],
};

/**
 * Probabilities by which candidates of one image are reported. A region that breaks a rule and also has another
 * candidate is at least as probable under that other candidate. A candidate that another explains counts only as far as
 * the other may be right as labelled. The remaining probabilities sum to about the number of errors in the label, so
 * that one mistake is not reported five times. Index of the answer = index of the candidate.
 */
export function explainAway(candidates: readonly ComparedCandidate[], given: readonly number[]): number[] {
  const probabilities = named(candidates, given);
  const wholes = candidates.flatMap((candidate, index) => (isWhole(candidate) ? [{ candidate, index }] : []));
  return candidates.map((candidate, index) => {
    const own = probabilities[index] as number;
    let left = own;
    for (const other of wholes) {
      const stronger = probabilities[other.index] as number;
      if (other.index === index || !EXPLAINS[other.candidate.kind]?.includes(candidate.kind)) continue;
      if (other.candidate.kind === 'bad_outline' && isWholePart(candidate)) continue;
      // Of two errors of the whole label the likelier one explains the other; they never explain each other.
      if (isWhole(candidate) && stronger <= own) continue;
      left *= 1 - stronger;
    }
    const repeated = REPEATS[candidate.kind];
    if (repeated !== undefined) {
      candidates.forEach((other, at) => {
        if (repeated.includes(other.kind) && boxIou(candidate.box, other.box) >= EXPLAIN_AWAY.sameRegion)
          left *= 1 - (probabilities[at] as number);
      });
    }
    return left;
  });
}

/** A part that is missing or has another class as a whole; even a bad outline cannot cause that. */
function isWholePart({ kind, features }: ComparedCandidate): boolean {
  return (
    (kind === 'missing_part' || kind === 'wrong_class') &&
    features.coverage >= MISSING.wholePart &&
    features.disagreement >= MISSING.wholePart
  );
}

/**
 * A rule says that a region is wrong; the likeliest candidate about the same region names the error, and is at least as
 * probable.
 */
function named(candidates: readonly ComparedCandidate[], probabilities: readonly number[]): number[] {
  const lifted = [...probabilities];
  candidates.forEach((broken, index) => {
    if (familyOf(broken) !== 'rule') return;
    const repeats = REPEATS[broken.kind] ?? [];
    let best = -1;
    candidates.forEach((other, at) => {
      if (!repeats.includes(other.kind) || isWhole(other) || boxIou(broken.box, other.box) < EXPLAIN_AWAY.sameRegion)
        return;
      if (best < 0 || (lifted[at] as number) > (lifted[best] as number)) best = at;
    });
    if (best >= 0) lifted[best] = Math.max(lifted[best] as number, probabilities[index] as number);
  });
  return lifted;
}

import { boxIou } from '../../geometry/boxIou.js';
import type { FindingKind } from '../../tables.js';
import { MISSING } from '../image/thresholds.js';
import type { Candidate } from '../types.js';
import { familyOf, isWhole } from './families.js';
import { EXPLAIN_AWAY } from './thresholds.js';

/** What an error of the whole label makes of single parts; all else in such a label is still looked at by itself. */
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
/** Kinds that say again what another candidate about the same region says better, and what that is. */
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
 * Probabilities by which candidates of one image are reported. What breaks a rule and has another name is at least as
 * probable under that name; one that another explains counts only as far as that other one may be right as it is. What
 * is left of each sums to about the number of errors in the label, so that one mistake is not reported five times.
 * Index of the answer = index of the candidate.
 */
export function explainAway(candidates: readonly Candidate[], given: readonly number[]): number[] {
  const probabilities = named(candidates, given);
  const wholes = candidates.flatMap((candidate, index) => (isWhole(candidate) ? [{ candidate, index }] : []));
  return candidates.map((candidate, index) => {
    const own = probabilities[index] as number;
    let left = own;
    for (const other of wholes) {
      const stronger = probabilities[other.index] as number;
      if (other.index === index || !EXPLAINS[other.candidate.kind]?.includes(candidate.kind)) continue;
      if (other.candidate.kind === 'bad_outline' && isWholePart(candidate)) continue;
      // Of two errors of the whole label the likelier one explains the other, never each the other.
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

/** A part that is left out or named otherwise as a whole: no outline, however bad, does that. */
function isWholePart({ kind, features }: Candidate): boolean {
  return (
    (kind === 'missing_part' || kind === 'wrong_class') &&
    features.coverage >= MISSING.wholePart &&
    features.disagreement >= MISSING.wholePart
  );
}

/**
 * A rule says that something is wrong with a region; the likeliest candidate about the same region says what, and is no
 * less probable.
 */
function named(candidates: readonly Candidate[], probabilities: readonly number[]): number[] {
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

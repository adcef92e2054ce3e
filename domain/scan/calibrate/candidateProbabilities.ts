import { type CandidateShifts, slicesOf } from './candidateSlices.js';
import { explainAway } from './explainAway.js';
import type { FamilyFits } from './familyFits.js';
import type { MeasuredCandidate } from './featureTable.js';
import { correctByVerdicts, type VerdictCorrection } from './statistics/plattScaling.js';
import { probabilityWrong } from './statistics/positiveUnlabelled.js';
import { recalibrated, type SliceShifts } from './statistics/sliceRecalibration.js';

/** The fits for candidates: by family, by slice, and from reviewers. */
export interface CandidateKnowledge {
  families: FamilyFits;
  shifts: CandidateShifts;
  correction: VerdictCorrection;
}

/** Probabilities of the candidates of one label, each list in their order. */
export interface CandidateProbabilities {
  /** Probability of a separate error, which no other candidate of the label explains. */
  pOwnError: number[];
  /** Probability that the label is wrong there, whatever explains it. */
  pWrong: number[];
  /** The same before reviewers' verdicts moved it. */
  pModel: number[];
}

const NO_SHIFTS: SliceShifts = new Map();

/**
 * Third and fourth stage, for the candidates of one label whose tag values are `slices`: each one's own probability of
 * being wrong, the rest of it after explaining away, and both after reviewers' verdicts moved them.
 */
export function candidateProbabilities(
  items: readonly MeasuredCandidate[],
  slices: readonly string[],
  { families, shifts, correction }: CandidateKnowledge,
): CandidateProbabilities {
  const alone = items.map((item) =>
    recalibrated(
      probabilityWrong(families[item.family], item),
      slicesOf(item, slices),
      shifts.get(item.group) ?? NO_SHIFTS,
    ),
  );
  const explained = explainAway(
    items.map(({ candidate }) => candidate),
    alone,
  );
  // A rule about the same region lifts a candidate above its own probability.
  const pModel = alone.map((probability, at) => Math.max(probability, explained[at] as number));
  const answered = (probabilities: readonly number[]): number[] =>
    probabilities.map((probability, at) => correctByVerdicts(correction, items[at]?.candidate.kind ?? '', probability));
  return { pOwnError: answered(explained), pWrong: answered(pModel), pModel };
}

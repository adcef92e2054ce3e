import { BACKGROUND } from '../../taxonomy.js';
import { explainAway } from './explainAway.js';
import type { FamilyFits } from './familyFits.js';
import type { MeasuredCandidate, MeasuredImage } from './featureTable.js';
import { probabilityWrong } from './statistics/positiveUnlabelled.js';
import { countSlices, learnSliceShifts, type Sliced, type SliceShifts } from './statistics/sliceRecalibration.js';
import { CANDIDATE_SLICES } from './thresholds.js';

/** By group of candidates: the reduction of log odds in slices where the model is weak. */
export type CandidateShifts = ReadonlyMap<string, SliceShifts>;

/**
 * Slices of a candidate: its image's tags, the labelled class and the suggested one. A missing part has no slice of its
 * class, since people do not leave out all parts equally often.
 */
export function slicesOf({ candidate }: MeasuredCandidate, tags: readonly string[]): string[] {
  const { classId, suggestedClassId } = candidate;
  return [
    ...tags,
    ...(classId === BACKGROUND ? [] : [`labelled=${classId}`]),
    ...(classId === BACKGROUND || suggestedClassId === null || suggestedClassId === BACKGROUND
      ? []
      : [`suggested=${suggestedClassId}`]),
  ];
}

/** Second stage: how much more often candidates are suspected where the model is weak than elsewhere. */
export function learnCandidateShifts(images: readonly MeasuredImage[], families: FamilyFits): CandidateShifts {
  const chances = countSlices(
    images.map(({ slices, analysis }) => [
      ...slices,
      ...analysis.labelledClasses.map((value) => `labelled=${value}`),
      ...analysis.predictedClasses.map((value) => `suggested=${value}`),
    ]),
  );
  const byGroup = new Map<string, Sliced[]>();
  for (const { candidates, slices } of images) {
    const explained = explainAway(
      candidates.map(({ candidate }) => candidate),
      candidates.map((item) => probabilityWrong(families[item.family], item)),
    );
    for (const [at, item] of candidates.entries()) {
      const sliced = { slices: slicesOf(item, slices), probability: explained[at] as number };
      const own = byGroup.get(item.group);
      if (own === undefined) byGroup.set(item.group, [sliced]);
      else own.push(sliced);
    }
  }
  return new Map(
    [...byGroup].map(([group, items]) => [group, learnSliceShifts(items, chances, CANDIDATE_SLICES.slack)]),
  );
}

import { round6 } from '../../../domain/base/round.js';
import type { NeedCandidate } from '../../../domain/sample/policies/need.js';
import type { PolicyPicks, SamplePolicy } from '../../../domain/sample/policies/policy.js';
import { proportionalPicks } from '../../../domain/sample/policies/pps.js';

/** A policy that takes the highest scores. */
export const highest =
  (scoreOf: (imageId: string) => number): SamplePolicy =>
  ({ candidates, reserve, count }) => {
    const ranked = candidates
      .filter(({ imageId }) => !reserve.has(imageId))
      .sort((a, b) => scoreOf(b.imageId) - scoreOf(a.imageId) || (a.imageId < b.imageId ? -1 : 1));
    const picked = new Set(ranked.slice(0, count).map(({ imageId }) => imageId));
    return picks(candidates, picked, ({ imageId }) => (picked.has(imageId) ? 1 : 0), scoreOf);
  };

/** A policy that takes images with a chance proportional to `sizeOf`, which is above 0. */
export const proportional =
  (sizesOf: (candidates: readonly NeedCandidate[]) => ReadonlyMap<string, number>): SamplePolicy =>
  (request) => {
    const { candidates } = request;
    const sizes = sizesOf(candidates);
    const sizeOf = (imageId: string): number => sizes.get(imageId) ?? 1;
    const ids = candidates.map(({ imageId }) => imageId);
    const { picked, probabilities } = proportionalPicks(ids, ids.map(sizeOf), request);
    const chance = new Map(ids.map((id, index) => [id, probabilities[index] ?? 0]));
    return picks(candidates, new Set(picked), ({ imageId }) => chance.get(imageId) ?? 0, sizeOf);
  };

function picks(
  candidates: readonly NeedCandidate[],
  picked: ReadonlySet<string>,
  probabilityOf: (candidate: NeedCandidate) => number,
  scoreOf: (imageId: string) => number,
): PolicyPicks {
  return {
    picked: [...picked],
    rated: candidates.map((candidate) => ({
      imageId: candidate.imageId,
      probability: probabilityOf(candidate),
      why: () => `score ${round6(scoreOf(candidate.imageId))}`,
      need: Math.max(0, round6(scoreOf(candidate.imageId))),
      tagNeed: 0,
      hardness: candidate.hardness ?? 0,
      rarity: 1,
    })),
  };
}

import type { Cell } from '../cells.js';
import { countOffered, countTrained, type Trained } from './counts.js';
import { type Need, needs } from './need.js';
import type { PolicyRequest, Rated, SamplePolicy } from './policy.js';
import { proportionalPicks } from './pps.js';
import { needReason } from './reasons.js';

/**
 * A systematic sample with probability proportional to need, over the images sorted by the properties that should vary,
 * so that it spreads over them.
 */
export const byNeed: SamplePolicy = (request) => {
  const { candidates, classNames } = request;
  const trained = countTrained(request.training);
  const order = orderedNeeds(request, trained);
  const sizes = order.map(({ need }) => need);
  const ids = order.map(({ imageId }) => imageId);
  const { picked, probabilities } = proportionalPicks(ids, sizes, request);
  const known = { offered: countOffered(candidates), trained, classNames };
  return {
    picked,
    rated: order.map(
      (need, index): Rated => ({
        imageId: need.imageId,
        probability: probabilities[index] ?? 0,
        why: needReason(need, known),
        need: need.need,
        tagNeed: need.tagNeed,
        hardness: need.hardness,
        rarity: need.rarity,
      }),
    ),
  };
};

function orderedNeeds({ candidates, reserve, count, shrinkage }: PolicyRequest, trained: Trained): Need[] {
  const needed = needs(candidates, trained, reserve.size + count, shrinkage);
  const stratumOf = stratumBy();
  return candidates
    .map((candidate, index) => ({ need: needed[index] as Need, stratum: stratumOf(candidate.cells) }))
    .sort((a, b) => compare(a.stratum, b.stratum) || compare(a.need.imageId, b.need.imageId))
    .map(({ need }) => need);
}

/** The margins of an image in one text, which images of the same cells share. */
function stratumBy(): (cells: readonly Cell[]) => string {
  const known = new Map<readonly Cell[], string>();
  return (cells) => {
    const there = known.get(cells);
    if (there !== undefined) return there;
    const margins = cells.filter(({ parents }) => parents.length === 0).map(({ key }) => key);
    known.set(cells, margins.join('|'));
    return margins.join('|');
  };
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

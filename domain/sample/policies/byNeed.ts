import { round6 } from '../../base/round.js';
import type { Cell } from '../cells.js';
import { boostOf } from '../focus.js';
import { countOffered, countTrained, type Trained } from './counts.js';
import { type Need, needs } from './need.js';
import type { PolicyRequest, Rated, SamplePolicy } from './policy.js';
import { proportionalPicks } from './pps.js';
import { needReason, withFocus } from './reasons.js';

/**
 * A systematic sample with probability proportional to need, over the images sorted by the properties that should vary,
 * so that it spreads over them.
 */
export const byNeed: SamplePolicy = (request) => {
  const { candidates, focuses, classNames } = request;
  const trained = countTrained(request.training, focuses.length);
  const order = orderedNeeds(request, trained);
  const sizes = order.map(({ need }) => need);
  const ids = order.map(({ imageId }) => imageId);
  const own = new Map(candidates.map((candidate) => [candidate.imageId, candidate]));
  const { picked, probabilities } = proportionalPicks(ids, sizes, request);
  const known = { offered: countOffered(candidates), trained, focuses, classNames };
  return {
    picked,
    rated: order.map(
      (need, index): Rated => ({
        imageId: need.imageId,
        probability: probabilities[index] ?? 0,
        why: () => withFocus(needReason(need, known), own.get(need.imageId) ?? { focuses: [] }, known),
        need: need.need,
        tagNeed: need.tagNeed,
        hardness: need.hardness,
        rarity: need.rarity,
      }),
    ),
  };
};

function orderedNeeds({ candidates, reserve, count, shrinkage, focuses }: PolicyRequest, trained: Trained): Need[] {
  const needed = needs(candidates, trained, reserve.size + count, shrinkage);
  const stratumOf = stratumBy();
  return candidates
    .map((candidate, index) => ({
      need: boosted(needed[index] as Need, boostOf(focuses, candidate.focuses)),
      stratum: stratumOf(candidate.cells),
    }))
    .sort((a, b) => compare(a.stratum, b.stratum) || compare(a.need.imageId, b.need.imageId))
    .map(({ need }) => need);
}

const boosted = (need: Need, boost: number): Need => ({ ...need, need: round6(need.need * boost) });

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

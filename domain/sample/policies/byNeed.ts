import type { Cell } from '../cells.js';
import { type Need, needs } from './need.js';
import type { PolicyRequest, Rated, SamplePolicy } from './policy.js';
import { proportionalPicks } from './pps.js';

/**
 * A systematic sample with probability proportional to need, over the images sorted by the properties that should vary,
 * so that it spreads over them.
 */
export const byNeed: SamplePolicy = (request) => {
  const order = orderedNeeds(request);
  const sizes = order.map(({ need }) => need);
  const ids = order.map(({ imageId }) => imageId);
  const { picked, probabilities } = proportionalPicks(ids, sizes, request);
  return {
    picked,
    rated: order.map(
      (need, index): Rated => ({
        imageId: need.imageId,
        probability: probabilities[index] ?? 0,
        why: explain(need, request.classNames),
        need: need.need,
        tagNeed: need.tagNeed,
        hardness: need.hardness,
        rarity: need.rarity,
      }),
    ),
  };
};

function orderedNeeds({ candidates, training, reserve, count, shrinkage }: PolicyRequest): Need[] {
  const needed = needs(candidates, training, reserve.size + count, shrinkage);
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

/** `angle=45, orientation=left; rare: left_mirror`: the neediest margin or pair, and the rarest parts. */
function explain(need: Need, names: readonly string[]): string {
  const [strongest] = need.cells;
  const rare = need.rareClasses.flatMap((label) => names[label] ?? []);
  const parts = [strongest?.key, rare.length > 0 ? `rare: ${rare.join(', ')}` : undefined].filter(
    (part) => part !== undefined,
  );
  return parts.length > 0 ? parts.join('; ') : 'well covered';
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

import { adjacencyOf, belongs } from '../image/adjacency.js';
import type { LabelView } from '../image/picture.js';
import type { LabelledPart, RuleBreak } from './rules.js';
import { NEIGHBOURS } from './thresholds.js';

/**
 * Parts among non-neighbours: a piece that touches other parts, hardly any of which are neighbours of its class on a
 * car. A class that declares no neighbours is never out of place.
 */
export function oddNeighbours(view: LabelView, parts: readonly LabelledPart[]): RuleBreak[] {
  const { ids } = view.labelled.components;
  return parts.flatMap(({ value, pieces }) =>
    pieces.flatMap((piece): RuleBreak[] => {
      const around = adjacencyOf(view, piece, (pixel) => ids[pixel] === piece.id);
      const known = belongs(around, value, view.picture.adjacent);
      const touching = [...around.touched.values()].reduce((sum, sides) => sum + sides, 0) / Math.max(1, around.rim);
      if (known === null || known > NEIGHBOURS.neighbours || touching < NEIGHBOURS.touching) return [];
      return [{ kind: 'odd_neighbours', piece, gain: Math.min(1, touching) }];
    }),
  );
}

import { belongs, surroundingsOf } from '../image/adjacency.js';
import type { LabelView } from '../image/picture.js';
import type { LabelledPart, RuleBreak } from './rules.js';

/** Share of a piece's rim that must touch other parts before they say anything. */
const TOUCHING = 0.25;
/** Share of what it touches below which none of it belongs there. */
const STRANGERS = 0.1;

/**
 * Parts among strangers: a piece that touches other parts, hardly any of which lies beside its class on a car. A class that
 * declares no neighbours is never out of place.
 */
export function oddNeighbours(view: LabelView, parts: readonly LabelledPart[]): RuleBreak[] {
  const { ids } = view.labelled.components;
  return parts.flatMap(({ value, pieces }) =>
    pieces.flatMap((piece): RuleBreak[] => {
      const around = surroundingsOf(view, piece, (pixel) => ids[pixel] === piece.id);
      const known = belongs(around, value, view.picture.adjacent);
      const touching = [...around.touched.values()].reduce((sum, sides) => sum + sides, 0) / Math.max(1, around.rim);
      if (known === null || known > STRANGERS || touching < TOUCHING) return [];
      return [{ kind: 'odd_neighbours', piece, gain: Math.min(1, touching) }];
    }),
  );
}

import type { Component } from '../../geometry/components.js';
import type { LabelledPart, RuleBreak } from './rules.js';
import { SIDES } from './thresholds.js';

interface Sided {
  piece: Component;
  side: 'left' | 'right';
  x: number;
}

/**
 * Parts on the wrong side of their neighbours: from any view all left parts are on one side of the right ones. A piece
 * breaks the rule if it is beyond the middle of the other side's parts, seen from its own side, and at least two
 * further pieces of each side tell which way round the car stands.
 */
export function wrongSides(parts: readonly LabelledPart[]): RuleBreak[] {
  const sided = parts.flatMap(({ entry, pieces }) =>
    entry.side === null
      ? []
      : pieces.map((piece): Sided => ({ piece, side: entry.side as Sided['side'], x: (piece.x0 + piece.x1) / 2 })),
  );
  return sided.flatMap((one): RuleBreak[] => {
    const others = sided.filter((other) => other !== one);
    const own = others.filter(({ side }) => side === one.side);
    const opposite = others.filter(({ side }) => side !== one.side);
    if (own.length < SIDES.leastPieces || opposite.length < SIDES.leastPieces) return [];
    const [home, away] = [middle(own), middle(opposite)];
    const span = Math.abs(home - away);
    if (span < SIDES.leastSpan) return [];
    const beyond = ((one.x - home) * Math.sign(away - home)) / span;
    return beyond > SIDES.beyond
      ? [{ kind: 'wrong_side', piece: one.piece, gain: Math.min(1, beyond / SIDES.farBeyond) }]
      : [];
  });
}

/** Mean horizontal place, weighted by area. */
function middle(group: readonly Sided[]): number {
  const area = group.reduce((sum, { piece }) => sum + piece.area, 0);
  return group.reduce((sum, { piece, x }) => sum + piece.area * x, 0) / area;
}

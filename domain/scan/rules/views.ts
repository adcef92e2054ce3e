import type { Component } from '../../geometry/components.js';
import type { Tags } from '../../tags.js';
import type { TaxonomyClass } from '../../taxonomy.js';
import type { LabelledPart, RuleBreak } from './rules.js';
import { VIEWS } from './thresholds.js';

/**
 * Parts that cannot be seen from the tagged angle, and parts of one flank if the tag says that the other is visible.
 */
export function impossibleViews(parts: readonly LabelledPart[], tags: Partial<Tags>): RuleBreak[] {
  const angle = tags.angle ?? null;
  const orientation = tags.orientation ?? null;
  return parts.flatMap(({ entry, pieces }): RuleBreak[] => {
    const piece = pieces[0] as Component;
    if (entry.angles !== null && angle !== null) {
      const off = Math.max(entry.angles[0] - angle, angle - entry.angles[1]);
      if (off > VIEWS.angleSlack) return [{ kind: 'impossible_view', piece, gain: Math.min(1, off / VIEWS.angleFar) }];
    }
    if (isFlank(entry) && (orientation === 'left' || orientation === 'right') && entry.side !== orientation)
      return [{ kind: 'impossible_view', piece, gain: VIEWS.flankGain }];
    return [];
  });
}

/**
 * Parts that no picture shows together: parts with disjoint angles, and flanks of both sides. The break is the side, or
 * the part, that covers less of the picture.
 */
export function impossiblePairs(parts: readonly LabelledPart[]): RuleBreak[] {
  const area = (group: readonly LabelledPart[]): number =>
    group.reduce((sum, { pieces }) => sum + pieces.reduce((own, piece) => own + piece.area, 0), 0);
  const against = new Map<LabelledPart, number>();
  const flanks = parts.filter(({ entry }) => isFlank(entry));
  const left = flanks.filter(({ entry }) => entry.side === 'left');
  const right = flanks.filter(({ entry }) => entry.side === 'right');
  if (left.length > 0 && right.length > 0) {
    const [fewer, more] = area(left) <= area(right) ? [left, right] : [right, left];
    for (const part of fewer) against.set(part, area(more) / (area(more) + area(fewer)));
  }
  parts.forEach((part, index) => {
    for (const other of parts.slice(index + 1)) {
      if (!areDisjoint(part.entry, other.entry)) continue;
      const [fewer, more] = area([part]) <= area([other]) ? [part, other] : [other, part];
      against.set(fewer, Math.max(against.get(fewer) ?? 0, area([more]) / (area([more]) + area([fewer]))));
    }
  });
  return [...against].map(([{ pieces }, gain]) => ({ kind: 'impossible_pair', piece: pieces[0] as Component, gain }));
}

/**
 * A part that sits on one side and is hidden from straight ahead and straight behind: it is visible only from that
 * side.
 */
function isFlank({ side, angles }: TaxonomyClass): boolean {
  return side !== null && angles !== null && angles[0] > 0 && angles[1] < 180;
}

function areDisjoint(a: TaxonomyClass, b: TaxonomyClass): boolean {
  if (a.angles === null || b.angles === null) return false;
  return a.angles[1] + VIEWS.angleSlack < b.angles[0] || b.angles[1] + VIEWS.angleSlack < a.angles[0];
}

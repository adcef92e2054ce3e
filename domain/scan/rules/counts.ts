import type { Component } from '../../geometry/components.js';
import type { Tags } from '../../tags.js';
import { type LabelView, seenAs } from '../image/picture.js';
import type { LabelledPart, RuleBreak } from './rules.js';
import { COUNTS } from './thresholds.js';

/** More instances than a car has. The piece with the least support of the model is the break. */
export function tooMany(view: LabelView, parts: readonly LabelledPart[]): RuleBreak[] {
  return parts.flatMap(({ entry, pieces }): RuleBreak[] => {
    const instances = pieces.filter((piece) => piece.area >= COUNTS.pieceShare * (pieces[0] as Component).area);
    const over = instances.length - entry.maxInstances;
    if (over <= 0) return [];
    const least = [...instances].sort((a, b) => seenAs(view, a) - seenAs(view, b) || a.area - b.area)[0] as Component;
    return [{ kind: 'too_many', piece: least, gain: Math.min(1, over / entry.maxInstances) }];
  });
}

/**
 * Areas far from the class's range. A part cut off by the picture may be small, and in a close-up every part may be
 * large.
 */
export function oddSizes(view: LabelView, parts: readonly LabelledPart[], tags: Partial<Tags>): RuleBreak[] {
  const pixels = view.picture.width * view.picture.height;
  return parts.flatMap(({ entry, pieces }): RuleBreak[] => {
    if (entry.areaShare === null) return [];
    const share = pieces.reduce((sum, { area }) => sum + area, 0) / pixels;
    const [low, high] = entry.areaShare;
    const cut = pieces.some(({ atEdge }) => atEdge);
    const small = cut ? 0 : low / share;
    const large = tags.zoomed === true ? 0 : share / Math.max(1e-9, high);
    const off = Math.max(small, large);
    if (off <= COUNTS.sizeSlack) return [];
    return [
      { kind: 'odd_size', piece: pieces[0] as Component, gain: Math.min(1, Math.log(off) / Math.log(COUNTS.sizeFar)) },
    ];
  });
}

import type { Component } from '../geometry/components.js';
import type { FindingKind } from '../tables.js';
import type { Tags } from '../tags.js';
import { balanceOf, contextOf, type LabelView, type RegionCandidate } from './picture.js';

/** Degrees that an angle tag may be off before a part counts as invisible. */
const ANGLE_SLACK = 15;
/** A piece of a part counts as an instance from this share of the largest piece on. */
const PIECE_SHARE = 0.35;

/**
 * What the taxonomy's data alone says against a label: parts that cannot be seen from the tagged angle, and more instances
 * than a car has. `tags` are given ones, or inferred from the prediction, never from this label.
 */
export function findRuleBreaks(view: LabelView, tags: Partial<Tags>): RegionCandidate[] {
  const { taxonomy, minArea } = view.picture;
  const byValue = new Map<number, Component[]>();
  for (const component of view.labelled.components.list) {
    if (component.area < minArea) continue;
    const pieces = byValue.get(component.value);
    if (pieces === undefined) byValue.set(component.value, [component]);
    else pieces.push(component);
  }
  const found: RegionCandidate[] = [];
  for (const [value, pieces] of [...byValue].sort((a, b) => a[0] - b[0])) {
    const entry = taxonomy.classes[value - 1];
    if (entry === undefined) continue;
    const bySize = [...pieces].sort((a, b) => b.area - a.area || a.id - b.id);
    const angle = tags.angle ?? null;
    if (
      entry.angles !== null &&
      angle !== null &&
      (angle < entry.angles[0] - ANGLE_SLACK || angle > entry.angles[1] + ANGLE_SLACK)
    ) {
      const off = Math.max(entry.angles[0] - angle, angle - entry.angles[1]);
      found.push(ruleBreak(view, bySize[0] as Component, 'impossible_view', Math.min(1, off / 90)));
    }
    const instances = bySize.filter((piece) => piece.area >= PIECE_SHARE * (bySize[0] as Component).area);
    if (instances.length > entry.maxInstances) {
      // The piece that the model believes least is the one too many.
      const least = [...instances].sort((a, b) => seenAs(view, a) - seenAs(view, b) || a.area - b.area)[0] as Component;
      found.push(
        ruleBreak(view, least, 'too_many', Math.min(1, (instances.length - entry.maxInstances) / entry.maxInstances)),
      );
    }
  }
  return found;
}

/** Share of a labelled component that the model sees as the same part. */
function seenAs(view: LabelView, component: Component): number {
  let same = 0;
  const { width, predicted } = view.picture;
  for (let y = component.y0; y < component.y1; y++) {
    for (let x = component.x0; x < component.x1; x++) {
      const pixel = y * width + x;
      if (view.labelled.components.ids[pixel] === component.id && predicted.values[pixel] === component.value) same++;
    }
  }
  return same / component.area;
}

function ruleBreak(view: LabelView, component: Component, kind: FindingKind, gain: number): RegionCandidate {
  const agreed = seenAs(view, component);
  return {
    inside: (pixel) => view.labelled.components.ids[pixel] === component.id,
    bounds: component,
    candidate: {
      kind,
      classId: component.value,
      suggestedClassId: null,
      area: component.area,
      box: [component.x0, component.y0, component.x1, component.y1],
      features: {
        confidence: 0,
        disagreement: 1 - agreed,
        coverage: 1,
        compactness: Math.min(1, (view.labelled.radii[component.id] as number) / Math.sqrt(component.area)),
        enclosure: 0,
        absent: 0,
        balance: balanceOf(view, component.value),
        context: contextOf(view, component.area, agreed * component.area),
        gain,
      },
      counts: [component.value, Math.round(agreed * component.area), component.area],
      rule: true,
    },
  };
}

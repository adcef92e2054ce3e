import type { Component } from '../../geometry/components.js';
import type { FindingKind } from '../../tables.js';
import type { Tags } from '../../tags.js';
import type { TaxonomyClass } from '../../taxonomy.js';
import { balanceOf, type LabelView, type RegionCandidate, seenAs } from '../image/picture.js';
import { oddSizes, tooMany } from './counts.js';
import { oddNeighbours } from './neighbours.js';
import { wrongSides } from './sides.js';
import { impossiblePairs, impossibleViews } from './views.js';

/** The labelled pieces of one class, largest first. */
export interface LabelledPart {
  value: number;
  entry: TaxonomyClass;
  pieces: Component[];
}

/** A piece that breaks a rule, and how strongly, 0..1. */
export interface RuleBreak {
  kind: FindingKind;
  piece: Component;
  gain: number;
}

/**
 * The contradictions between a label and the taxonomy's data: parts that are not visible from the tagged view or
 * together, a part on the wrong side of the others, parts among non-neighbours, areas far from the class's range, more
 * instances than a car has. `tags` are given or inferred from the prediction, never from this label. With a taxonomy
 * that declares nothing, no rule can be broken.
 */
export function findRuleBreaks(view: LabelView, tags: Partial<Tags>): RuleBreak[] {
  const parts = labelledParts(view);
  return [
    ...impossibleViews(parts, tags),
    ...impossiblePairs(parts),
    ...wrongSides(parts),
    ...oddNeighbours(view, parts),
    ...oddSizes(view, parts, tags),
    ...tooMany(view, parts),
  ];
}

/** Kinds of rules that each labelled component breaks, by component id. */
export function countBreaks(breaks: readonly RuleBreak[]): ReadonlyMap<number, number> {
  const kinds = new Map<number, Set<FindingKind>>();
  for (const { piece, kind } of breaks) kinds.set(piece.id, (kinds.get(piece.id) ?? new Set()).add(kind));
  return new Map([...kinds].map(([id, own]) => [id, own.size]));
}

function labelledParts(view: LabelView): LabelledPart[] {
  const { taxonomy, minArea } = view.picture;
  const byValue = new Map<number, Component[]>();
  for (const component of view.labelled.components.list) {
    if (component.area < minArea) continue;
    const pieces = byValue.get(component.value);
    if (pieces === undefined) byValue.set(component.value, [component]);
    else pieces.push(component);
  }
  return [...byValue]
    .sort((a, b) => a[0] - b[0])
    .flatMap(([value, pieces]) => {
      const entry = taxonomy.classes[value - 1];
      return entry === undefined
        ? []
        : [{ value, entry, pieces: [...pieces].sort((a, b) => b.area - a.area || a.id - b.id) }];
    });
}

/** A broken rule as a candidate. */
export function ruleCandidate(view: LabelView, { kind, piece, gain }: RuleBreak): RegionCandidate {
  const agreed = seenAs(view, piece);
  return {
    inside: (pixel) => view.labelled.components.ids[pixel] === piece.id,
    bounds: piece,
    candidate: {
      kind,
      classId: piece.value,
      suggestedClassId: null,
      area: piece.area,
      box: [piece.x0, piece.y0, piece.x1, piece.y1],
      features: {
        confidence: 0,
        disagreement: 1 - agreed,
        coverage: 1,
        compactness: Math.min(1, (view.labelled.radii[piece.id] as number) / Math.sqrt(piece.area)),
        enclosure: 0,
        absent: 0,
        balance: balanceOf(view, piece.value),
        context: view.picture.clarity,
        gain,
      },
      counts: [piece.value, Math.round(agreed * piece.area), piece.area],
      rule: true,
    },
  };
}

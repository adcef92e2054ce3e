import type { Component } from '../../geometry/components.js';
import type { FindingKind } from '../../tables.js';
import { BACKGROUND } from '../../taxonomy.js';
import { adjacencyOf, belongs, fitsRather } from './adjacency.js';
import { bestDisplacement } from './displacement.js';
import { balanceOf, type LabelView, type RegionCandidate } from './picture.js';
import { ADJACENCY, WRONG_CLASS } from './thresholds.js';

/** The prediction under one labelled component: pixels and summed probability per predicted value. */
interface Under {
  all: Int32Array;
  core: Int32Array;
  confidence: Float64Array;
  coreTotal: number;
}

export interface WrongClasses {
  candidates: RegionCandidate[];
  /** Pixels away from edges where the model sees another part. */
  otherMass: number;
  /** Pixels away from edges where the model sees background. */
  extraMass: number;
}

/**
 * Labelled components where the model sees something else, judged on the component's core (a quarter of its radius from
 * its edge): another part (wrong_class, swapped if it is the mirror class), background (extra_part), a second part that
 * is labelled nowhere (merged_or_split), the same part elsewhere (shifted) or of another shape (bad_outline). `broken`
 * counts the rules that each component breaks: for these the model needs to agree less.
 */
export function findWrongClass(view: LabelView, broken: ReadonlyMap<number, number>): WrongClasses {
  const { picture, labelled } = view;
  const { predicted, pMask, edge } = picture;
  const values = picture.taxonomy.classes.length + 1;
  const list = labelled.components.list;
  const under: Under[] = list.map(() => ({
    all: new Int32Array(values),
    core: new Int32Array(values),
    confidence: new Float64Array(values),
    coreTotal: 0,
  }));
  let otherMass = 0;
  let extraMass = 0;
  const ids = labelled.components.ids;
  for (let pixel = 0; pixel < ids.length; pixel++) {
    const id = ids[pixel] as number;
    if (id < 0) continue;
    const seen = predicted.values[pixel] as number;
    if (seen >= values) continue;
    const entry = under[id] as Under;
    entry.all[seen] = (entry.all[seen] as number) + 1;
    const inner = labelled.distance[pixel] as number;
    if (inner >= WRONG_CLASS.coreFrom * (labelled.radii[id] as number)) {
      entry.core[seen] = (entry.core[seen] as number) + 1;
      entry.confidence[seen] = (entry.confidence[seen] as number) + (pMask[pixel] as number) / 255;
      entry.coreTotal++;
    }
    if (inner < edge || (predicted.distance[pixel] as number) < edge) continue;
    if (seen === BACKGROUND) extraMass++;
    else if (seen !== labelled.values[pixel]) otherMass++;
  }
  const together = new Int32Array(values);
  list.forEach((component, id) => {
    const same = (under[id] as Under).all[component.value] ?? 0;
    if (component.value < values) together[component.value] = (together[component.value] as number) + same;
  });
  const candidates: RegionCandidate[] = [];
  for (const component of list) {
    if (component.area < picture.minArea || component.value >= values) continue;
    const found = judge(view, component, under[component.id] as Under, together, broken.get(component.id) ?? 0);
    if (found !== null) candidates.push(found);
  }
  return { candidates, otherMass, extraMass };
}

function judge(
  view: LabelView,
  component: Component,
  under: Under,
  together: Int32Array,
  broken: number,
): RegionCandidate | null {
  const { picture } = view;
  const { predicted, mirror } = picture;
  const { value, area, id } = component;
  const total = Math.max(1, under.coreTotal);
  const own = (under.core[value] as number) / total;
  const nothing = (under.core[BACKGROUND] as number) / total;
  let other = -1;
  for (let seen = 1; seen < under.core.length; seen++) {
    if (seen !== value && (other < 0 || (under.core[seen] as number) > (under.core[other] as number))) other = seen;
  }
  const share = other < 0 ? 0 : (under.core[other] as number) / total;
  const whole = (pixel: number): boolean => view.labelled.components.ids[pixel] === id;
  const enough = broken > 0 ? WRONG_CLASS.otherShareBroken : WRONG_CLASS.otherShare;
  if (share >= enough && share > own && (share >= nothing || broken > 0)) {
    const kind = other !== value && mirror[value] === other ? 'swapped' : 'wrong_class';
    return region(view, component, under, { kind, suggested: other, disagreement: share, inside: whole, broken });
  }
  const displaced =
    nothing >= WRONG_CLASS.displacedFrom && (predicted.areas[value] as number) >= picture.minArea
      ? bestDisplacement(view, component)
      : null;
  const gain = displaced === null ? 0 : Math.max(0, displaced.iou - displaced.iouInPlace);
  const elsewhere = (pixel: number): boolean => whole(pixel) && predicted.values[pixel] !== value;
  if (displaced !== null && gain >= WRONG_CLASS.displacedGain && displaced.iou >= WRONG_CLASS.displacedIou) {
    return region(view, component, under, {
      kind: 'shifted',
      suggested: value,
      disagreement: 1 - displaced.iouInPlace,
      inside: elsewhere,
      area: area - (under.all[value] as number),
      gain,
    });
  }
  if (nothing >= WRONG_CLASS.nothingShare && nothing > own) {
    return region(view, component, under, {
      kind: 'extra_part',
      suggested: BACKGROUND,
      disagreement: nothing,
      inside: whole,
      broken,
    });
  }
  const swallowed = swallowedPart(view, component, under, together);
  if (swallowed > 0) {
    const inside = (pixel: number): boolean => whole(pixel) && predicted.values[pixel] === swallowed;
    const disagreement = (under.all[swallowed] as number) / Math.max(1, predicted.areas[swallowed] as number);
    return region(view, component, under, {
      kind: 'merged_or_split',
      suggested: swallowed,
      disagreement,
      inside,
      area: under.all[swallowed] as number,
      broken,
    });
  }
  const same = under.all[value] as number;
  const iou = same / Math.max(1, area + (predicted.areas[value] as number) - same);
  if (
    iou >= WRONG_CLASS.outlineIou ||
    area < WRONG_CLASS.outlineAreas * picture.minArea ||
    (predicted.areas[value] as number) < picture.minArea
  )
    return null;
  return region(view, component, under, {
    kind: 'bad_outline',
    suggested: value,
    disagreement: 1 - iou,
    inside: elsewhere,
    area: area - same,
    gain,
  });
}

/** The largest predicted part that is mostly under this component and hardly labelled as itself; -1 for none. */
function swallowedPart(view: LabelView, component: Component, under: Under, together: Int32Array): number {
  let best = -1;
  for (let seen = 1; seen < under.all.length; seen++) {
    const here = under.all[seen] as number;
    const everywhere = Math.max(1, view.picture.predicted.areas[seen] as number);
    if (
      seen === component.value ||
      here < view.picture.minArea ||
      here < WRONG_CLASS.swallowedHere * everywhere ||
      (together[seen] as number) >= WRONG_CLASS.swallowedElsewhere * everywhere
    )
      continue;
    if (best < 0 || here > (under.all[best] as number)) best = seen;
  }
  return best;
}

interface Reading {
  kind: FindingKind;
  suggested: number;
  disagreement: number;
  inside: (pixel: number) => boolean;
  /** Pixels inside; the whole component if omitted. */
  area?: number;
  gain?: number;
  broken?: number;
}

function region(view: LabelView, component: Component, under: Under, reading: Reading): RegionCandidate {
  const { picture, labelled } = view;
  const { value, area, id } = component;
  const { suggested } = reading;
  const coreSeen = under.core[suggested] as number;
  const counts = [value, under.all[value] as number, area];
  for (let seen = 1; seen < under.all.length; seen++) {
    if (seen !== value && (under.all[seen] as number) > 0) counts.push(seen, 0, under.all[seen] as number);
  }
  const seenInPicture = suggested === BACKGROUND ? area : Math.max(1, picture.predicted.areas[suggested] as number);
  return {
    inside: reading.inside,
    bounds: component,
    candidate: {
      kind: reading.kind,
      classId: value,
      suggestedClassId: suggested,
      area: reading.area ?? area,
      box: [component.x0, component.y0, component.x1, component.y1],
      features: {
        confidence: coreSeen === 0 ? 0 : (under.confidence[suggested] as number) / coreSeen,
        disagreement: reading.disagreement,
        coverage: Math.min(1, (under.all[suggested] as number) / seenInPicture),
        compactness: Math.min(1, (labelled.radii[id] as number) / Math.sqrt(area)),
        enclosure: 0,
        absent:
          suggested !== BACKGROUND && (labelled.areas[suggested] as number) < WRONG_CLASS.absentBelow * picture.minArea
            ? 1
            : 0,
        balance: balanceOf(view, suggested === BACKGROUND ? value : suggested),
        context: picture.clarity,
        gain: reading.gain ?? 0,
        broken: reading.broken ?? 0,
        fitting: fittingOf(view, component, reading),
      },
      counts,
      rule: false,
    },
  };
}

/** How strongly the neighbours support the suggested part over the labelled one. */
function fittingOf(view: LabelView, component: Component, { suggested, inside }: Reading): number {
  const { adjacent } = view.picture;
  const { value } = component;
  const around = adjacencyOf(view, component, inside);
  if (suggested !== BACKGROUND) return fitsRather(around, value, suggested, adjacent);
  return ADJACENCY.unknown - (belongs(around, value, adjacent) ?? ADJACENCY.unknown);
}

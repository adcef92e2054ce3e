import type { Component } from '../../geometry/components.js';
import type { FindingKind } from '../../tables.js';
import { BACKGROUND, IGNORE_INDEX } from '../../taxonomy.js';
import { adjacencyOf } from './adjacency.js';
import { INJECTION } from './injectionSizes.js';
import { displaceAll, growParts, polygoniseParts, warpAll } from './injectWhole.js';
import type { LabelView } from './picture.js';

export interface Injection {
  label: Uint8Array;
  kind: FindingKind;
  /** The error concerns the label as a whole, not some of its parts. */
  whole: boolean;
  /** Parts were left out or got another class in place, so each error has the outline of a part. */
  inPlace: boolean;
}

/** Kinds that put labels where there were none. */
const MOVING: ReadonlySet<FindingKind> = new Set(['shifted', 'extra_part']);

/**
 * A copy of a label with one to four errors of one kind, drawn by `random` ([0, 1)); null if the label has no part to
 * spoil. A kind that is impossible in this label (no mirror class, no neighbour) becomes a missing part.
 */
export function injectErrors(view: LabelView, random: () => number): Injection | null {
  const { picture, labelled } = view;
  const parts = partsOf(view);
  if (parts.length === 0) return null;
  const label = Uint8Array.from(labelled.values);
  const kind = pickKind(random());
  let times = 1;
  while (times < Math.min(INJECTION.most, parts.length) && random() < INJECTION.again) times++;
  if (kind === 'mirrored' && mirrorAll(label, picture.mirror)) return { label, kind, whole: true, inPlace: false };
  if (kind === 'shifted' && random() >= INJECTION.partShifts) {
    const displaced = displaceAll(view, random);
    return displaced === null ? null : { label: displaced, kind, whole: true, inPlace: false };
  }
  if (kind === 'bad_outline')
    return {
      label: badlyOutlined(view, random),
      kind,
      whole: true,
      inPlace: false,
    };
  const single = kind === 'mirrored' ? 'missing_part' : kind;
  let done: FindingKind | null = null;
  for (let time = 0; time < times; time++) {
    const part = parts.splice(Math.floor(random() * parts.length), 1)[0] as Component;
    if (spoil(view, label, part, single, random)) done = single;
    else {
      paint(view, label, part, BACKGROUND);
      done = 'missing_part';
    }
  }
  return done === null ? null : { label, kind: done, whole: false, inPlace: !MOVING.has(done) };
}

/** Parts that are large enough to count. */
const partsOf = ({ picture, labelled }: LabelView): Component[] =>
  labelled.components.list.filter(
    ({ area, value }) => area >= picture.minArea && value <= picture.taxonomy.classes.length,
  );

/** Kinds that give one part another value, and change nothing else. */
export const IN_PLACE = ['missing_part', 'wrong_class', 'swapped', 'merged_or_split'] as const satisfies FindingKind[];

/** An error of one part. */
export interface PartError {
  kind: (typeof IN_PLACE)[number];
  /** Label value of the part, and the one that it gets. */
  from: number;
  to: number;
}

/** A part of a label in which an error is possible, drawn by `random`; null if there is none. */
export function partToSpoil(view: LabelView, { kind, from, to }: PartError, random: () => number): Component | null {
  const { mirror } = view.picture;
  if ((to === BACKGROUND) !== (kind === 'missing_part') || to === from) return null;
  if ((mirror[from] === to) !== (kind === 'swapped') && kind !== 'merged_or_split' && kind !== 'missing_part')
    return null;
  const parts = partsOf(view).filter(
    (part) => part.value === from && (kind !== 'merged_or_split' || neighboursOf(view, part).includes(to)),
  );
  return parts[Math.floor(random() * parts.length)] ?? null;
}

function badlyOutlined(view: LabelView, random: () => number): Uint8Array {
  const { wandering, polygons } = INJECTION;
  const which = random();
  if (which < wandering) return warpAll(view, random);
  return which < wandering + polygons ? polygoniseParts(view, random) : growParts(view, random);
}

function pickKind(at: number): FindingKind {
  let sum = 0;
  for (const [kind, weight] of INJECTION.kinds) {
    sum += weight;
    if (at < sum) return kind;
  }
  return 'missing_part';
}

function mirrorAll(label: Uint8Array, mirror: Uint8Array): boolean {
  let changed = false;
  for (let pixel = 0; pixel < label.length; pixel++) {
    const value = label[pixel] as number;
    if (mirror[value] !== value) changed = true;
    label[pixel] = mirror[value] as number;
  }
  return changed;
}

function spoil(view: LabelView, label: Uint8Array, part: Component, kind: FindingKind, random: () => number): boolean {
  const { picture } = view;
  if (kind === 'missing_part') return paint(view, label, part, BACKGROUND);
  if (kind === 'swapped') {
    const twin = picture.mirror[part.value] as number;
    return twin !== part.value && paint(view, label, part, twin);
  }
  if (kind === 'wrong_class') {
    const others = picture.taxonomy.classes
      .map((_, index) => index + 1)
      .filter((value) => value !== part.value && value !== picture.mirror[part.value]);
    const other = others[Math.floor(random() * others.length)];
    return other !== undefined && paint(view, label, part, other);
  }
  if (kind === 'merged_or_split') {
    const neighbours = neighboursOf(view, part);
    const other = neighbours[Math.floor(random() * neighbours.length)];
    return other !== undefined && paint(view, label, part, other);
  }
  const { leastShift, moreShift } = INJECTION;
  const across = (random() < 0.5 ? -1 : 1) * (leastShift + moreShift * random());
  const down = (random() < 0.5 ? -1 : 1) * (leastShift + moreShift * random());
  return move(view, label, part, kind, across, down, 1 + Math.floor(random() * picture.taxonomy.classes.length));
}

function paint(view: LabelView, label: Uint8Array, part: Component, value: number): boolean {
  eachPixel(view, part, (pixel) => {
    label[pixel] = value;
  });
  return true;
}

/**
 * A displaced part (its old place becomes background), or for `extra_part` a copy of its shape as another part on
 * background.
 */
function move(
  view: LabelView,
  label: Uint8Array,
  part: Component,
  kind: FindingKind,
  across: number,
  down: number,
  extra: number,
): boolean {
  const { width, height } = view.picture;
  const apart = kind === 'extra_part' ? INJECTION.extraApart : 1;
  const dx = Math.round(apart * across * (part.x1 - part.x0));
  const dy = Math.round(apart * down * (part.y1 - part.y0));
  if (dx === 0 && dy === 0) return false;
  if (kind === 'shifted') paint(view, label, part, BACKGROUND);
  let painted = 0;
  eachPixel(view, part, (pixel) => {
    const y = ((pixel / width) | 0) + dy;
    const x = (pixel % width) + dx;
    if (x < 0 || y < 0 || x >= width || y >= height) return;
    const to = y * width + x;
    if (kind === 'extra_part' && view.labelled.values[to] !== BACKGROUND) return;
    if (label[to] === IGNORE_INDEX) return;
    label[to] = kind === 'extra_part' ? extra : part.value;
    painted++;
  });
  return painted >= view.picture.minArea;
}

/** Label values of the parts that touch a part, in ascending order. */
function neighboursOf(view: LabelView, part: Component): number[] {
  const { ids } = view.labelled.components;
  const { touched } = adjacencyOf(view, part, (pixel) => ids[pixel] === part.id, 0);
  return [...touched.keys()].sort((a, b) => a - b);
}

function eachPixel(view: LabelView, part: Component, visit: (pixel: number) => void): void {
  const { width } = view.picture;
  const ids = view.labelled.components.ids;
  for (let y = part.y0; y < part.y1; y++) {
    for (let x = part.x0; x < part.x1; x++) {
      const pixel = y * width + x;
      if (ids[pixel] === part.id) visit(pixel);
    }
  }
}

import { shuffle } from '../../../domain/base/random.js';
import { connectedComponents, skipValues } from '../../../domain/geometry/components.js';
import { BACKGROUND, IGNORE_INDEX } from '../../../domain/taxonomy.js';
import { LEAST_SHARE, wrongParts } from './parts.js';

interface Labelled {
  width: number;
  height: number;
  clean: Uint8Array;
}

/** What people left out of one label, together: per class, the share of its components. */
export interface Pattern {
  /** Classes of the corrected label. */
  classes: ReadonlySet<number>;
  /** Class -> share of its components that were left out, above 0. */
  leftOut: ReadonlyMap<number, number>;
}

/** Photos with the most similar sets of parts among which the donor of a pattern is drawn. */
const DONORS = 10;

/** The pattern of one photo of which both labels are known. */
export function patternOf({ width, height, clean }: Labelled, old: Uint8Array): Pattern {
  const missing = new Map<number, number>();
  for (const { kind, value } of wrongParts(old, clean, width, height))
    if (kind === 'missing_part') missing.set(value, (missing.get(value) ?? 0) + 1);
  const components = componentsByClass(clean, width, height);
  return {
    classes: new Set(components.keys()),
    leftOut: new Map([...missing].map(([value, count]) => [value, count / (components.get(value)?.length ?? count)])),
  };
}

/**
 * A right label spoiled as people spoil theirs: with the pattern of a photo drawn from those with the most similar
 * parts. So the parts that are left out together, and how often, are those of the known photos.
 */
export function omitLike(photo: Labelled, patterns: readonly Pattern[], random: () => number): Uint8Array {
  const { width, height, clean } = photo;
  const components = componentsByClass(clean, width, height);
  const own = new Set(components.keys());
  const donors = shuffle(patterns, random)
    .map((pattern) => ({ pattern, similarity: jaccard(own, pattern.classes) }))
    .sort((a, b) => b.similarity - a.similarity)
    .slice(0, DONORS);
  const donor = donors[Math.floor(random() * donors.length)]?.pattern;
  const spoiled = Uint8Array.from(clean);
  for (const [value, share] of donor?.leftOut ?? []) {
    const of = components.get(value) ?? [];
    const count = Math.min(of.length, Math.max(1, Math.round(share * of.length)));
    for (const pixels of shuffle(of, random).slice(0, count)) for (const pixel of pixels) spoiled[pixel] = BACKGROUND;
  }
  return spoiled;
}

/** Pixels of the components that count, by class. */
function componentsByClass(label: Uint8Array, width: number, height: number): Map<number, number[][]> {
  const { ids, list } = connectedComponents(label, width, height, skipValues(BACKGROUND, IGNORE_INDEX));
  const pixels = list.map((): number[] => []);
  ids.forEach((id, pixel) => {
    if (id >= 0) pixels[id]?.push(pixel);
  });
  const byClass = new Map<number, number[][]>();
  for (const { id, value, area } of list) {
    if (area < LEAST_SHARE * width * height) continue;
    byClass.set(value, [...(byClass.get(value) ?? []), pixels[id] ?? []]);
  }
  return byClass;
}

function jaccard(a: ReadonlySet<number>, b: ReadonlySet<number>): number {
  let both = 0;
  for (const value of a) if (b.has(value)) both++;
  const either = a.size + b.size - both;
  return either === 0 ? 1 : both / either;
}

import { spoil } from '../../demo/spoil/spoil.js';
import { SPOIL_KINDS, type SpoilKind } from '../../demo/spoil/truth.js';
import { shuffle } from '../../domain/base/random.js';
import { resizeNearest } from '../../domain/geometry/resize.js';
import { mirrorTable, type Taxonomy } from '../../domain/taxonomy.js';
import type { Planted } from '../metrics/detection.js';

/** The number of images with an error of each kind. */
export type PlantPlan = Record<SpoilKind, number>;

/** A spoiled label and its errors. */
export interface PlantedLabel {
  kind: SpoilKind;
  given: Uint8Array;
  /** The single errors, regions in pixels of the network's grid. */
  errors: Planted<SpoilKind>[];
}

interface Labelled {
  clean: Uint8Array;
  width: number;
  height: number;
}

/** `total` split in the proportions of `shares`, kept to within one (largest remainders). */
export function shareCounts(total: number, shares: Readonly<Record<SpoilKind, number>>): PlantPlan {
  const counts = Object.fromEntries(
    SPOIL_KINDS.map((kind) => [kind, Math.floor(total * shares[kind] + 1e-9)]),
  ) as PlantPlan;
  const missing = (kind: SpoilKind): number => total * shares[kind] - counts[kind];
  for (let left = total - Object.values(counts).reduce((a, b) => a + b, 0); left > 0; left--) {
    counts[SPOIL_KINDS.reduce((best, kind) => (missing(kind) > missing(best) ? kind : best))] += 1;
  }
  return counts;
}

/**
 * Spoils as many labels as the plan says with the demo's spoiler; kinds that few labels allow come first. Labels are
 * square. Index of the answer = index of the image; null if nothing was planted.
 */
export function plantErrors(
  images: readonly Labelled[],
  plan: PlantPlan,
  taxonomy: Taxonomy,
  imageSize: number,
  random: () => number,
): (PlantedLabel | null)[] {
  const sides = { mirror: mirrorTable(taxonomy), count: taxonomy.classes.length };
  const planted = new Array<PlantedLabel | null>(images.length).fill(null);
  const free = new Set(shuffle([...images.keys()], random));
  for (const kind of [...SPOIL_KINDS].reverse()) {
    let left = plan[kind];
    for (const index of [...free]) {
      if (left === 0) break;
      const { clean, width } = images[index] as Labelled;
      const spoiled = spoil(kind, { pixels: clean, size: width }, sides, random);
      if (spoiled === null) continue;
      const given = spoiled.pixels;
      const errors = spoiled.planted.map((error) => ({
        kind,
        region:
          error.classId === null && error.trueClassId === null
            ? null
            : changedPixels(clean, given, width, imageSize, error),
      }));
      planted[index] = { kind, given, errors };
      free.delete(index);
      left--;
    }
  }
  return planted;
}

/** Pixels of the network's grid in an error's box that changed from its right class to its wrong one. */
function changedPixels(
  clean: Uint8Array,
  given: Uint8Array,
  side: number,
  imageSize: number,
  error: { classId: number | null; trueClassId: number | null; box: readonly [number, number, number, number] },
): Set<number> {
  const [right, wrong] = [clean, given].map((label) => resizeNearest(label, side, side, imageSize, imageSize)) as [
    Uint8Array,
    Uint8Array,
  ];
  const [x0, y0, x1, y1] = error.box.map((edge) => (edge * imageSize) / side) as [number, number, number, number];
  const region = new Set<number>();
  for (let y = Math.max(0, Math.floor(y0)); y < Math.min(imageSize, Math.ceil(y1)); y++) {
    for (let x = Math.max(0, Math.floor(x0)); x < Math.min(imageSize, Math.ceil(x1)); x++) {
      const pixel = y * imageSize + x;
      if (right[pixel] === error.trueClassId && wrong[pixel] === error.classId) region.add(pixel);
    }
  }
  return region;
}

/**
 * Which of the images stay spoiled so that `share` of all are, kinds in the demo's proportions as far as there are
 * enough of each; a set of indices.
 */
export function subsetOfPlanted(
  planted: readonly (PlantedLabel | null)[],
  share: number,
  shares: Readonly<Record<SpoilKind, number>>,
  random: () => number,
): Set<number> {
  const total = Math.round(share * planted.length);
  const counts = shareCounts(total, shares);
  const order = shuffle(
    planted.flatMap((label, index) => (label === null ? [] : [index])),
    random,
  );
  const kept = new Set<number>();
  for (const index of order) {
    const kind = planted[index]?.kind;
    if (kind === undefined || counts[kind] === 0) continue;
    counts[kind]--;
    kept.add(index);
  }
  for (const index of order) if (kept.size < total) kept.add(index);
  return kept;
}

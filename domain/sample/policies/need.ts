import { round6 } from '../../base/round.js';
import type { Cell } from '../cells.js';
import type { Trained } from './counts.js';

/** An image never loses all of its weight for being easy: the model may still lack images that it finds easy. */
const HARDNESS_FLOOR = 0.25;
/** Keeps every candidate's probability above zero, so that shares can be estimated from the picks. */
const TAG_NEED_FLOOR = 0.05;
const HARDNESS_CAP_QUANTILE = 0.9;
/** Smaller deficits are no reason to tell. */
const TOLD_DEFICIT = 0.05;
const RARITY_EXPONENT = 0.5;
const RARITY_MAX = 4;
/** The mean is over this many of an image's rarest classes, so that one stray label does not decide. */
const RAREST_CLASSES = 3;

export interface NeedImage {
  cells: readonly Cell[];
  /** Label values present in the label. */
  classes: readonly number[];
  /** The focuses that it matches, by their place in the request. */
  focuses: readonly number[];
}

export interface NeedCandidate extends NeedImage {
  imageId: string;
  /**
   * How hard the image is for the model that scanned, 0..1, components with a finding left out; null if no model
   * judged.
   */
  hardness: number | null;
  pMislabelled: number;
  /** IoU of label and prediction, 0..1; null if no model judged. */
  labelIou: number | null;
}

export interface Need {
  imageId: string;
  need: number;
  tagNeed: number;
  hardness: number;
  rarity: number;
  /** The cells and classes that determine it, strongest first; images of the same cells share them. */
  cells: readonly Cell[];
  rareClasses: number[];
}

/**
 * How much the model needs each candidate: tag need × hardness × class rarity.
 *
 * Tag need is a sum over margins and pairs of "poor there, and little of it in the training set"; a cell's own quality
 * counts by n/(n + shrinkage), the rest comes from its margins. Hardness is capped at its 90th percentile and
 * multiplied by 1 - P(wrong): otherwise the hardest images would mostly be undetected errors. Values are rounded to
 * 1e-6, so they are equal on every machine.
 *
 * @param trained earlier picks
 * @param budget how many images will be picked
 */
export function needs(
  candidates: readonly NeedCandidate[],
  trained: Trained,
  budget: number,
  shrinkage: number,
): Need[] {
  const judged = candidates.flatMap(({ hardness }) => hardness ?? []).sort((a, b) => a - b);
  const typical = quantile(judged, 0.5);
  const cap = Math.max(quantile(judged, HARDNESS_CAP_QUANTILE), 1e-6);
  const hardnessOf = (candidate: NeedCandidate): number => Math.min(candidate.hardness ?? typical, cap);

  const deficits = cellDeficits(candidates, trained.cells, budget, shrinkage, hardnessOf);
  const rarities = classRarities(candidates, trained.labels, budget);
  const dimensions = countDimensions(candidates);

  const drives = cellDrives(deficits, dimensions);

  return candidates.map((candidate) => {
    const { tagNeed, cells } = drives(candidate.cells);
    const rare = candidate.classes
      .map((label) => ({ label, rarity: rarities.get(label) ?? 1 }))
      .sort((a, b) => b.rarity - a.rarity || a.label - b.label)
      .slice(0, RAREST_CLASSES);
    const rarity = rare.length === 0 ? 1 : rare.reduce((sum, entry) => sum + entry.rarity, 0) / rare.length;
    const hardness = hardnessOf(candidate) * (1 - candidate.pMislabelled);
    const pull = (HARDNESS_FLOOR + (1 - HARDNESS_FLOOR) * (hardnessOf(candidate) / cap)) * (1 - candidate.pMislabelled);
    return {
      imageId: candidate.imageId,
      need: round6(Math.max(1e-6, tagNeed * pull * rarity)),
      tagNeed: round6(tagNeed),
      hardness: round6(hardness),
      rarity: round6(rarity),
      cells,
      rareClasses: rare.filter((entry) => entry.rarity >= 1.5).map((entry) => entry.label),
    };
  });
}

/** What the cells of an image add to its need; images that share their cells share the answer. */
function cellDrives(
  deficits: ReadonlyMap<string, number>,
  dimensions: { margins: number; pairs: number },
): (cells: readonly Cell[]) => Pick<Need, 'tagNeed' | 'cells'> {
  const known = new Map<readonly Cell[], Pick<Need, 'tagNeed' | 'cells'>>();
  return (own) => {
    const there = known.get(own);
    if (there !== undefined) return there;
    const cells = own.map((cell) => ({ cell, deficit: deficits.get(cell.key) ?? 0 }));
    const tagNeed =
      TAG_NEED_FLOOR +
      sumByDimension(cells, false) / Math.max(1, dimensions.margins) +
      sumByDimension(cells, true) / Math.max(1, dimensions.pairs);
    const strongest = cells
      .filter(({ deficit }) => deficit >= TOLD_DEFICIT)
      .sort((a, b) => b.deficit - a.deficit || (a.cell.key < b.cell.key ? -1 : 1))
      .map(({ cell }) => cell);
    const drive = { tagNeed, cells: strongest };
    known.set(own, drive);
    return drive;
  };
}

/** Scarcity × poorness of every cell: 0 if the training set will have its fair share without help. */
function cellDeficits(
  candidates: readonly NeedCandidate[],
  trained: Trained['cells'],
  budget: number,
  shrinkage: number,
  hardnessOf: (candidate: NeedCandidate) => number,
): Map<string, number> {
  const cells = new Map<string, { cell: Cell; trained: number; offered: number; hardness: number }>();
  const entryOf = (cell: Cell) => {
    const known = cells.get(cell.key) ?? { cell, trained: 0, offered: 0, hardness: 0 };
    cells.set(cell.key, known);
    return known;
  };
  let total = 0;
  for (const candidate of candidates) {
    const hardness = hardnessOf(candidate);
    total += hardness;
    for (const cell of candidate.cells) {
      const entry = entryOf(cell);
      entry.offered++;
      entry.hardness += hardness;
    }
  }
  for (const { cell, images } of trained.values()) entryOf(cell).trained = images;

  const overall = Math.max(total / Math.max(1, candidates.length), 1e-6);
  const poorness = new Map<string, number>();
  const shrunk = (entry: { offered: number; hardness: number }, prior: number) =>
    (entry.hardness + shrinkage * prior) / Math.max(1e-9, entry.offered + shrinkage);
  for (const [key, entry] of cells) if (entry.cell.parents.length === 0) poorness.set(key, shrunk(entry, overall));
  for (const [key, entry] of cells) {
    const { parents } = entry.cell;
    if (parents.length > 0)
      poorness.set(
        key,
        shrunk(entry, parents.reduce((sum, parent) => sum + (poorness.get(parent) ?? overall), 0) / parents.length),
      );
  }

  // Without help a cell grows by its share of the candidates.
  const rate = budget / Math.max(1, candidates.length);
  const expected = (entry: { trained: number; offered: number }) => entry.trained + rate * entry.offered;
  const byDimension = new Map<string, { sum: number; values: number }>();
  for (const entry of cells.values()) {
    const dimension = byDimension.get(entry.cell.dimension) ?? { sum: 0, values: 0 };
    dimension.sum += expected(entry);
    dimension.values++;
    byDimension.set(entry.cell.dimension, dimension);
  }
  return new Map(
    [...cells].map(([key, entry]) => {
      const { sum, values } = byDimension.get(entry.cell.dimension) ?? { sum: 0, values: 1 };
      const fair = sum / values;
      const scarcity = Math.max(0, 1 - expected(entry) / Math.max(fair, 1e-9));
      return [key, round6((scarcity * (poorness.get(key) ?? overall)) / overall)];
    }),
  );
}

/** (frequency of the commonest class / frequency of this class)^0.5 by images, at most 4. */
function classRarities(
  candidates: readonly NeedImage[],
  trained: Trained['labels'],
  budget: number,
): Map<number, number> {
  const counts = new Map<number, number>();
  const rate = budget / Math.max(1, candidates.length);
  for (const image of candidates) for (const label of image.classes) counts.set(label, (counts.get(label) ?? 0) + rate);
  for (const [label, images] of trained) counts.set(label, plusOnes(counts.get(label) ?? 0, images));
  const most = Math.max(1e-9, ...counts.values());
  return new Map(
    [...counts].map(([label, count]) => [
      label,
      Math.min(RARITY_MAX, (most / Math.max(count, 1e-9)) ** RARITY_EXPONENT),
    ]),
  );
}

/** A number plus 1 so many times: one sum of all is rounded differently, and picks must stay what they were. */
function plusOnes(value: number, times: number): number {
  let sum = value;
  for (let time = 0; time < times; time++) sum += 1;
  return sum;
}

/** One image may have several cells of a dimension (parts): the neediest counts. */
function sumByDimension(cells: readonly { cell: Cell; deficit: number }[], pairs: boolean): number {
  const most = new Map<string, number>();
  for (const { cell, deficit } of cells) {
    const { dimension, parents } = cell;
    if (parents.length > 0 === pairs) most.set(dimension, Math.max(most.get(dimension) ?? 0, deficit));
  }
  return [...most.values()].reduce((sum, value) => sum + value, 0);
}

function countDimensions(candidates: readonly NeedImage[]): { margins: number; pairs: number } {
  const margins = new Set<string>();
  const pairs = new Set<string>();
  for (const { cells } of candidates)
    for (const { dimension, parents } of cells) (parents.length > 0 ? pairs : margins).add(dimension);
  return { margins: margins.size, pairs: pairs.size };
}

function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0;
}

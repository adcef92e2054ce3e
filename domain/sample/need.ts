import { round6 } from '../base/round.js';
import type { Cell } from './cells.js';

/** An image never loses all of its weight for being easy: the model may still lack images that it finds easy. */
const HARDNESS_FLOOR = 0.25;
/** Keeps every candidate's probability above zero, so that shares can be estimated from the picks. */
const TAG_NEED_FLOOR = 0.05;
const HARDNESS_CAP_QUANTILE = 0.9;
const RARITY_EXPONENT = 0.5;
const RARITY_MAX = 4;
/** The mean is over this many of an image's rarest classes, so that one stray label does not decide. */
const RAREST_CLASSES = 3;

export interface NeedImage {
  cells: readonly Cell[];
  /** Label values present in the label. */
  classes: readonly number[];
}

export interface NeedCandidate extends NeedImage {
  imageId: string;
  /**
   * How hard the image is for the model that scanned, 0..1, components with a finding left out; null if no model
   * judged.
   */
  hardness: number | null;
  pMislabelled: number;
}

export interface Need {
  imageId: string;
  need: number;
  tagNeed: number;
  hardness: number;
  rarity: number;
  /** The cells and classes that determine it, strongest first. */
  cells: { key: string; deficit: number }[];
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
 * @param trainingSet earlier picks
 * @param budget how many images will be picked
 */
export function needs(
  candidates: readonly NeedCandidate[],
  trainingSet: readonly NeedImage[],
  budget: number,
  shrinkage: number,
): Need[] {
  const judged = candidates.flatMap(({ hardness }) => hardness ?? []).sort((a, b) => a - b);
  const typical = quantile(judged, 0.5);
  const cap = Math.max(quantile(judged, HARDNESS_CAP_QUANTILE), 1e-6);
  const hardnessOf = (candidate: NeedCandidate): number => Math.min(candidate.hardness ?? typical, cap);

  const deficits = cellDeficits(candidates, trainingSet, budget, shrinkage, hardnessOf);
  const rarities = classRarities(candidates, trainingSet, budget);
  const dimensions = countDimensions(candidates);

  return candidates.map((candidate) => {
    const cells = candidate.cells.map((cell) => ({
      key: cell.key,
      deficit: deficits.get(cell.key) ?? 0,
      dimension: cell.dimension,
      pair: cell.parents.length > 0,
    }));
    const tagNeed =
      TAG_NEED_FLOOR +
      sumByDimension(cells, false) / Math.max(1, dimensions.margins) +
      sumByDimension(cells, true) / Math.max(1, dimensions.pairs);
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
      cells: cells
        .filter(({ deficit }) => deficit > 0)
        .sort((a, b) => b.deficit - a.deficit || (a.key < b.key ? -1 : 1))
        .map(({ key, deficit }) => ({ key, deficit })),
      rareClasses: rare.filter((entry) => entry.rarity >= 1.5).map((entry) => entry.label),
    };
  });
}

/** Scarcity × poorness of every cell: 0 if the training set will have its fair share without help. */
function cellDeficits(
  candidates: readonly NeedCandidate[],
  trainingSet: readonly NeedImage[],
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
  for (const image of trainingSet) for (const cell of image.cells) entryOf(cell).trained++;

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
  trainingSet: readonly NeedImage[],
  budget: number,
): Map<number, number> {
  const counts = new Map<number, number>();
  const rate = budget / Math.max(1, candidates.length);
  const add = (image: NeedImage, weight: number) => {
    for (const label of image.classes) counts.set(label, (counts.get(label) ?? 0) + weight);
  };
  for (const image of candidates) add(image, rate);
  for (const image of trainingSet) add(image, 1);
  const most = Math.max(1e-9, ...counts.values());
  return new Map(
    [...counts].map(([label, count]) => [
      label,
      Math.min(RARITY_MAX, (most / Math.max(count, 1e-9)) ** RARITY_EXPONENT),
    ]),
  );
}

/** One image may have several cells of a dimension (parts): the neediest counts. */
function sumByDimension(
  cells: readonly { deficit: number; dimension: string; pair: boolean }[],
  pairs: boolean,
): number {
  const most = new Map<string, number>();
  for (const { deficit, dimension, pair } of cells) {
    if (pair === pairs) most.set(dimension, Math.max(most.get(dimension) ?? 0, deficit));
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

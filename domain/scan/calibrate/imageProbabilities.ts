import type { FindingKind } from '../../tables.js';
import type { ImageStatistics } from '../types.js';
import type { CandidateProbabilities } from './candidateProbabilities.js';
import type { Family } from './families.js';
import { imageRow } from './features.js';
import type { MeasuredImage } from './featureTable.js';
import { EXPECTED } from './priors.js';
import type { Coefficients } from './statistics/logistic.js';
import {
  fitPositiveUnlabelled,
  type GroupedRow,
  type PositiveUnlabelledFit,
  probabilityWrong,
} from './statistics/positiveUnlabelled.js';
import { countSlices, learnSliceShifts, recalibrated, type SliceShifts } from './statistics/sliceRecalibration.js';
import { IMAGE_FIT } from './thresholds.js';

const GROUP = 'image';

/** The detector of wrong images, and its result for each. */
export interface ImageProbabilities {
  detector: PositiveUnlabelledFit;
  /** By image, 0..1: the probability that its label is wrong somewhere. */
  probabilities: number[];
  /** By image: its row in the regression. */
  rows: GroupedRow[];
  /** The reduction of log odds in slices where the model is weak. */
  shifts: SliceShifts;
  /** Copies with injected errors that it learned from. */
  injected: number;
}

/**
 * Fifth stage: from the candidates of a label and its agreement with the prediction to the probability that it is wrong
 * somewhere. Fitted on copies with injected errors against the labels as they are, then recalibrated by tag.
 */
export function imageProbabilities(
  images: readonly MeasuredImage[],
  found: readonly CandidateProbabilities[],
  ofCopy: (items: MeasuredImage['copies'][number]['candidates'], slices: readonly string[]) => CandidateProbabilities,
  prior: Coefficients,
): ImageProbabilities {
  const ownErrors = found.map(({ pOwnError }) => pOwnError);
  const rows = images.map(({ analysis, expected }, index) =>
    asRow(analysis.statistics, expected, ownErrors[index] as number[]),
  );
  const weights = copyWeights(images, ownErrors);
  const spoiled = images.flatMap(({ copies, expected, slices }) =>
    copies.map(({ kind, statistics, candidates }) => ({
      ...asRow(statistics, expected, ofCopy(candidates, slices).pOwnError),
      weight: weights[kind] ?? 1,
    })),
  );
  const detector = fitPositiveUnlabelled(spoiled, rows, {
    prior,
    ridge: IMAGE_FIT.ridge * images.length,
    expected: EXPECTED.imagesPerImage * images.length,
    strength: EXPECTED.imageStrength,
    atLeast: shareWithWrongParts(images, ownErrors),
  });
  const sliced = images.map(({ slices }, index) => ({
    slices,
    probability: probabilityWrong(detector, rows[index] as GroupedRow),
  }));
  const shifts = learnSliceShifts(sliced, countSlices(images.map(({ slices }) => slices)), IMAGE_FIT.sliceSlack);
  return {
    detector,
    probabilities: sliced.map(({ probability, slices }) => recalibrated(probability, slices, shifts)),
    rows,
    shifts,
    injected: spoiled.length,
  };
}

const asRow = (statistics: ImageStatistics, expected: number, probabilities: readonly number[]): GroupedRow => ({
  group: GROUP,
  row: imageRow(statistics, expected, probabilities),
});

/** Families of errors that people make part by part. */
const PART_FAMILIES: ReadonlySet<Family> = new Set(['missing', 'class']);

/**
 * The share of images with a missing part or one of a wrong class, if these are independent of each other. Copies have
 * one kind of error each and are plainer than what people do, so that the share by copies alone comes out too low.
 */
function shareWithWrongParts(images: readonly MeasuredImage[], probabilities: readonly (readonly number[])[]): number {
  const right = images.map(({ candidates }, index) =>
    candidates.reduce(
      (chance, { family }, at) =>
        PART_FAMILIES.has(family) ? chance * (1 - (probabilities[index]?.[at] ?? 0)) : chance,
      1,
    ),
  );
  return right.reduce((sum, chance) => sum + 1 - chance, 0) / Math.max(1, images.length);
}

/**
 * The weight of a spoiled copy of each kind. With it kinds are as frequent among the copies as the scan finds them
 * among its images; each kind gets one extra copy for doubt.
 */
function copyWeights(
  images: readonly MeasuredImage[],
  probabilities: readonly (readonly number[])[],
): Partial<Record<FindingKind, number>> {
  const found = new Map<FindingKind, number>();
  const copies = new Map<FindingKind, number>();
  images.forEach(({ candidates, copies: own }, index) => {
    const best = new Map<FindingKind, number>();
    candidates.forEach(({ candidate }, at) => {
      const probability = probabilities[index]?.[at] ?? 0;
      best.set(candidate.kind, Math.max(best.get(candidate.kind) ?? 0, probability));
    });
    for (const [kind, probability] of best) found.set(kind, (found.get(kind) ?? 0) + probability);
    for (const { kind } of own) copies.set(kind, (copies.get(kind) ?? 0) + 1);
  });
  return Object.fromEntries(
    [...copies].map(([kind, count]) => [kind, ((found.get(kind) ?? 0) + IMAGE_FIT.doubt) / count]),
  );
}

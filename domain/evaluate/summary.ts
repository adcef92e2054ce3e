import { z } from 'zod';
import { leftOutSchema } from '../images/leftOut.js';
import type { EvaluationRow } from '../tables.js';
import type { Taxonomy } from '../taxonomy.js';
import { CalibrationSums } from './calibration.js';
import { ClassSums, classLabels, mean } from './confusion.js';
import { slicesOf } from './slices.js';

const share = z.number().min(0).max(1).nullable();
const excess = z.number().min(-1).max(1).nullable().default(null);
const WORST_IMAGES = 20;

export const evaluationSummarySchema = z.object({
  version: z.literal(1),
  images: z.number().int().nonnegative(),
  /** Whole-set sums, mean over classes with ground truth in this test version: the headline. */
  miou: share,
  majorMiou: share,
  minorMiou: share,
  /** Mean over images of the mean over classes in ground truth or prediction. */
  imageMiou: share,
  boundaryIou: share,
  /**
   * Expected calibration error of the pixels predicted as a part, and how much surer the network is of them than it
   * should be. Null if an image has no counts for it, as in older evaluations.
   */
  calibrationError: share.default(null),
  overconfidence: excess,
  classes: z.array(
    z.object({
      name: z.string(),
      group: z.enum(['major', 'minor']),
      iou: share,
      boundaryIou: share,
      recall: share,
      pixels: z.number(),
      /** Of the pixels predicted as this class. */
      calibrationError: share.default(null),
      overconfidence: excess,
    }),
  ),
  slices: z.array(z.object({ name: z.string(), images: z.number().int(), miou: share })),
  worst: z.array(z.object({ imageId: z.string(), fileName: z.string(), imageMiou: z.number() })),
  /** Test images that could not be judged; older evaluations had to judge all. */
  leftOut: z.array(leftOutSchema).default([]),
});
export type EvaluationSummary = z.infer<typeof evaluationSummarySchema>;

/** All results of a model on a test set, from per-image counts only. */
export function summariseEvaluation(rows: readonly EvaluationRow[], taxonomy: Taxonomy): EvaluationSummary {
  const labels = classLabels(taxonomy.classes.length);
  const labelsOf = (group: 'major' | 'minor'): number[] =>
    labels.filter((label) => taxonomy.classes[label - 1]?.group === group);
  const sums = sumsOf(rows);
  const boundary = boundaryIou(rows);
  const calibration = calibrationOf(rows);
  const overall = calibration?.overall() ?? null;
  const ranked = [...rows].sort((a, b) => a.imageMiou - b.imageMiou || (a.imageId < b.imageId ? -1 : 1));
  const withTruth = labels.filter((label) => (sums.given[label] as number) > 0);
  return {
    version: 1,
    images: rows.length,
    miou: sums.miou(labels),
    majorMiou: sums.miou(labelsOf('major')),
    minorMiou: sums.miou(labelsOf('minor')),
    imageMiou: mean(rows.map((row) => row.imageMiou)),
    boundaryIou: mean(withTruth.map((label) => boundary.get(label) ?? 0)),
    calibrationError: overall?.error ?? null,
    overconfidence: overall?.excess ?? null,
    classes: taxonomy.classes.map(({ name, group }, index) => {
      const label = index + 1;
      const given = sums.given[label] as number;
      const calibrated = calibration?.of(label) ?? null;
      return {
        name,
        group,
        pixels: given,
        iou: given === 0 ? null : sums.iou(label),
        boundaryIou: given === 0 ? null : (boundary.get(label) ?? 0),
        recall: given === 0 ? null : (sums.intersection[label] as number) / given,
        calibrationError: calibrated?.error ?? null,
        overconfidence: calibrated?.excess ?? null,
      };
    }),
    slices: slicesOf(rows).map(({ name, keep }) => {
      const kept = rows.filter(keep);
      return { name, images: kept.length, miou: sumsOf(kept).miou(labels) };
    }),
    worst: ranked.slice(0, WORST_IMAGES).map(({ imageId, fileName, imageMiou }) => ({ imageId, fileName, imageMiou })),
    leftOut: [],
  };
}

function sumsOf(rows: readonly EvaluationRow[]): ClassSums {
  const sums = new ClassSums();
  for (const row of rows) sums.add(row.confusion);
  return sums;
}

/** Null if an image has no counts: sums over a part of the images would tell of others. */
export function calibrationOf(rows: readonly Pick<EvaluationRow, 'calibration'>[]): CalibrationSums | null {
  const sums = new CalibrationSums();
  for (const { calibration } of rows) {
    if (calibration === null) return null;
    sums.add(calibration);
  }
  return sums;
}

function boundaryIou(rows: readonly EvaluationRow[]): Map<number, number> {
  const sums = new Map<number, { intersection: number; union: number }>();
  for (const { boundary } of rows) {
    for (let at = 0; at < boundary.length; at += 3) {
      const label = boundary[at] as number;
      const sum = sums.get(label) ?? { intersection: 0, union: 0 };
      sum.intersection += boundary[at + 1] as number;
      sum.union += boundary[at + 2] as number;
      sums.set(label, sum);
    }
  }
  return new Map([...sums].map(([label, { intersection, union }]) => [label, union === 0 ? 0 : intersection / union]));
}

import { z } from 'zod';
import type { TestCopy } from '../draw/drawn.js';
import { type NotDrawn, whyNotDrawn } from '../draw/notDrawn.js';
import { LEFT_OUT_KINDS, type LeftOut } from '../images/leftOut.js';
import type { DrawRow, FindingRow, ScanImageRow } from '../tables.js';
import { labelNames, type Taxonomy } from '../taxonomy.js';
import { notJudged } from './counts.js';
import { findingClass } from './findingClass.js';
import type { SplitChoice } from './judge/split.js';
import { PROBABILITIES } from './probabilities.js';

/** `images.csv`: one row per scanned image. */
export const exportedImageSchema = z.object({
  image_id: z.string(),
  file_name: z.string(),
  /** 0..1, low is suspect. */
  label_quality: z.number(),
  [PROBABILITIES.pMislabelled.column]: z.number(),
  /** Kinds of its findings, joined by `;`. */
  kinds: z.string(),
});

/** `left-out.csv`: one row per other image of the pool, so that the two tables together have each image once. */
export const exportedLeftOutSchema = z.object({
  image_id: z.string(),
  file_name: z.string(),
  split: z.string(),
  /** One of `LEFT_OUT_REASONS`. */
  reason: z.string(),
  /** The fault of the file, or the judges that were considered; empty if the reason says all. */
  detail: z.string(),
});

/** `findings.csv`: one row per finding, most probable first. */
export const exportedFindingSchema = z.object({
  image_id: z.string(),
  file_name: z.string(),
  kind: z.string(),
  /** The label of the region; `whole label` if the finding concerns all of it. */
  class: z.string(),
  /** The proposed class; empty if the kind has none. */
  suggested_class: z.string(),
  /** Pixels of the original image. */
  area_px: z.number().int(),
  [PROBABILITIES.pWrong.column]: z.number(),
  /** `x0 y0 x1 y1` in pixels of the upright original image, ends exclusive. */
  bbox: z.string(),
});

/** Pixels of the original picture that a finding covers; its row counts those of the scan's grid. */
export const areaOf = ({ areaShare }: Pick<FindingRow, 'areaShare'>, size: { width: number; height: number }): number =>
  Math.round(areaShare * size.width * size.height);

/** A scan as two tables for use outside partloop. `sizeOf`: upright size of an image in pixels. */
export function exportScan(
  images: readonly ScanImageRow[],
  findings: readonly FindingRow[],
  taxonomy: Taxonomy,
  sizeOf: (imageId: string) => { width: number; height: number },
): { images: z.infer<typeof exportedImageSchema>[]; findings: z.infer<typeof exportedFindingSchema>[] } {
  const names = labelNames(taxonomy);
  const sorted = findings.toSorted((a, b) => b.pWrong - a.pWrong || (a.findingId < b.findingId ? -1 : 1));
  return {
    images: images
      .filter((image) => notJudged(image) === null)
      .map((image) => ({
        image_id: image.imageId,
        file_name: image.fileName,
        label_quality: image.labelQuality,
        [PROBABILITIES.pMislabelled.column]: image.pMislabelled,
        kinds: image.kinds.join(';'),
      })),
    findings: sorted.map((finding) => {
      const { width, height } = sizeOf(finding.imageId);
      const box = [finding.x0 * width, finding.y0 * height, finding.x1 * width, finding.y1 * height];
      return {
        image_id: finding.imageId,
        file_name: finding.fileName,
        kind: finding.kind,
        class: findingClass(finding, names),
        suggested_class: finding.suggestedClassId === null ? '' : (names[finding.suggestedClassId] ?? ''),
        area_px: areaOf(finding, { width, height }),
        [PROBABILITIES.pWrong.column]: finding.pWrong,
        bbox: box.map(Math.round).join(' '),
      };
    }),
  };
}

/** The reason why an image of the pool is not in `images.csv`. */
export const LEFT_OUT_REASONS = {
  otherTrain: 'in the training split, not scanned',
  otherVal: 'in the validation split, not scanned',
  otherTest: 'in the test split, not scanned',
  interior: 'inside of a car',
  testVehicle: 'vehicle of the test set',
  testCopy: 'copy of a test image',
  gone: 'gone',
  changed: 'changed since the import',
  unreadable: 'unreadable',
  unjudged: 'no model may judge it',
  failed: 'its shard failed',
  notDrawn: 'not drawn in this iteration',
} as const satisfies Record<NotDrawn | LeftOut['kind'] | 'unjudged' | 'failed' | 'notDrawn', string>;

/** Whether the reason lies in the image itself: it is gone, changed or unreadable. */
export const isBadReason = (reason: string): boolean =>
  LEFT_OUT_KINDS.some((kind) => LEFT_OUT_REASONS[kind] === reason);

/** Every image of a pool that a scan did not judge, with the reason, in order of image id. */
export function leftOutOfScan(
  index: readonly DrawRow[],
  images: readonly ScanImageRow[],
  { missing, testCopies }: { missing: readonly LeftOut[]; testCopies: readonly TestCopy[] },
  split: SplitChoice,
): z.infer<typeof exportedLeftOutSchema>[] {
  const drawn = new Map(images.map((image) => [image.imageId, image]));
  const lost = new Map(missing.map((image) => [image.imageId, image]));
  const copies = new Map(testCopies.map((copy) => [copy.imageId, copy]));
  const whyNot = whyNotDrawn(index, split);
  return index.flatMap((row) => {
    const image = drawn.get(row.imageId);
    const gone = lost.get(row.imageId);
    const copy = copies.get(row.imageId);
    const whyNotHere = (): NotDrawn | 'notDrawn' => whyNot(row) ?? (copy === undefined ? 'notDrawn' : 'testCopy');
    const fate = image === undefined ? (gone?.kind ?? whyNotHere()) : notJudged(image);
    if (fate === null) return [];
    const detail = image?.error ?? gone?.reason ?? (copy === undefined ? '' : `of ${copy.testFileName}`);
    const { imageId: image_id, fileName: file_name, split: side } = row;
    return [{ image_id, file_name, split: side, reason: LEFT_OUT_REASONS[fate], detail }];
  });
}

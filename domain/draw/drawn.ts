import { z } from 'zod';
import { PartloopError } from '../base/errors.js';
import { sha256Schema } from '../base/ids.js';
import { kindsText, type LeftOut } from '../images/leftOut.js';
import type { SplitChoice } from '../scan/judge/split.js';
import type { WorkOf } from '../stepContract.js';
import type { ChunkRow, IndexRow } from '../tables.js';
import type { DrawnChunk, DrawRequest } from './drawChunk.js';
import { type DrawColumns, splitAt } from './drawColumns.js';
import type { drawStep } from './step.js';
import { assertNoLeak, TestSet } from './testSet.js';

/** Every image a loop has drawn so far: `drawn.json`. */
export const drawnSchema = z.object({ images: z.array(sha256Schema) });

/** A training image that shows the picture of a test image, saved again. */
export const testCopySchema = z.object({
  imageId: sha256Schema,
  fileName: z.string(),
  testImageId: sha256Schema,
  testFileName: z.string(),
});
export type TestCopy = z.infer<typeof testCopySchema>;

/** Copies that draws of a loop have found so far: part of `missing.json`; older ones looked for none. */
export const testCopiesSchema = z.object({ testCopies: z.array(testCopySchema).default([]) });

/** Those of earlier copies that still are some in a pool. */
export function stillCopies(copies: readonly TestCopy[], index: DrawColumns): TestCopy[] {
  const sideOf = (imageId: string): string | null => {
    const row = index.ids.find(imageId);
    return row < 0 ? null : splitAt(index, row);
  };
  return copies.filter(({ imageId, testImageId }) => sideOf(imageId) === 'train' && sideOf(testImageId) === 'test');
}

/**
 * The images that a loop has drawn, this chunk included, in order of their ids. An image removed from the pool is
 * removed from the training set too: if it comes back, it is drawn again.
 */
export function drawnSoFar(
  drawnBefore: ReadonlySet<string>,
  present: readonly ChunkRow[],
  { ids }: DrawColumns,
): string[] {
  return [...drawnBefore]
    .filter((imageId) => ids.find(imageId) >= 0)
    .concat(present.map((row) => row.imageId))
    .sort();
}

/**
 * Whole rows of a chunk from the pool's by id, in the order of the chunk. What models may train on is checked once
 * more: here are the rows as later steps read them.
 *
 * @throws PartloopError `leak-detected` for a row that would show a model its test set
 */
export function wholeRows(
  { images }: DrawnChunk,
  found: ReadonlyMap<string, IndexRow>,
  { index, split = 'train' }: Pick<DrawRequest, 'index' | 'split'>,
): ChunkRow[] {
  const rows = images.map(({ imageId, cluster }) => {
    const image = found.get(imageId);
    if (image === undefined)
      throw new PartloopError('internal', `image ${imageId} was drawn, but the pool's index has no such row`);
    return { ...image, cluster };
  });
  if (split === 'train') assertNoLeak(rows, TestSet.ofColumns(index));
  return rows;
}

/** The facts of a draw: the number of images that it found, and the outcome for every other image of the pool. */
export function drawFacts(
  { leftOut, remaining, testImages }: DrawnChunk,
  { present, missing }: { present: readonly ChunkRow[]; missing: readonly LeftOut[] },
  pool: { poolVersion: number; split: SplitChoice; poolImages: number },
): WorkOf<typeof drawStep>['facts'] {
  return {
    drawn: present.length,
    poolVersion: pool.poolVersion,
    remaining,
    missing: missing.length,
    missingWhy: kindsText(missing),
    testImages,
    split: pool.split,
    poolImages: pool.poolImages,
    otherTrain: leftOut.otherTrain,
    otherVal: leftOut.otherVal,
    otherTest: leftOut.otherTest,
    interior: leftOut.interior,
    heldBack: leftOut.testVehicle + leftOut.testCopy,
    drawnBefore: leftOut.drawnBefore,
  };
}

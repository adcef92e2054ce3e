import { z } from 'zod';
import { PartloopError } from '../base/errors.js';
import { sha256Schema } from '../base/ids.js';
import { kindsText, type LeftOut } from '../images/leftOut.js';
import type { SplitChoice } from '../scan/judge/split.js';
import type { WorkOf } from '../stepContract.js';
import type { ChunkRow, IndexRow } from '../tables.js';
import type { DrawnChunk, DrawRequest } from './drawChunk.js';
import type { DrawColumns } from './drawColumns.js';
import type { drawStep } from './step.js';
import { assertNoLeak, TestSet } from './testSet.js';

/** Every image a loop has drawn so far: `drawn.json`. */
export const drawnSchema = z.object({ images: z.array(sha256Schema) });

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
 * Whole rows of a chunk from the pool's, in the order of the chunk. What models may train on is checked once more: here
 * are the rows as later steps read them.
 *
 * @throws PartloopError `leak-detected` for a row that would show a model its test set
 */
export function wholeRows(
  { images }: DrawnChunk,
  found: readonly IndexRow[],
  { index, split = 'train' }: Pick<DrawRequest, 'index' | 'split'>,
): ChunkRow[] {
  const byId = new Map(found.map((image) => [image.imageId, image]));
  const rows = images.map(({ imageId, cluster }) => {
    const image = byId.get(imageId);
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

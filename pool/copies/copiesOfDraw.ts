import { setImmediate as otherWork } from 'node:timers/promises';
import { type DrawColumns, idsAt, pickRows, rowsWhere, splitAt } from '../../domain/draw/drawColumns.js';
import type { TestCopy } from '../../domain/draw/drawn.js';
import { SuspectIndex } from '../../domain/draw/suspects.js';
import type { IndexRow } from '../../domain/tables.js';
import { forEachLimited } from '../../storage/parallel.js';
import type { Thumbnails } from './thumbnails.js';

/** Pictures that are fetched and decoded at once. */
const IN_PARALLEL = 16;
/** Images beyond the first `count` whose rows are read with those: a second pass over a large index takes a minute. */
const AHEAD = 1_000;
/** Images whose hashes are compared before other work of the process goes on. */
const ROWS_A_TURN = 500;

export interface CopySearch {
  index: DrawColumns;
  thumbnails: Thumbnails;
  /** Whole rows of images by id, of the version that the index is of. */
  rowsOf(imageIds: ReadonlySet<string>): Promise<ReadonlyMap<string, IndexRow>>;
  signal: AbortSignal | undefined;
  onProgress(done: number, total: number): void;
}

/**
 * Look among the first `count` images of an order for copies of test images, and among those that come in their place.
 * Only pictures whose hash is close to a test image's are fetched. What cannot be read is taken for no copy:
 * `thumbnails` keeps it.
 *
 * @returns row number of each copy, with what it is
 * @throws faults of the store; the reason of `signal` when it aborts
 */
export async function copiesOfDraw(
  order: readonly number[],
  count: number,
  search: CopySearch,
): Promise<Map<number, TestCopy>> {
  const { index } = search;
  const test = rowsWhere(index, (row) => splitAt(index, row) === 'test');
  const hashes = new SuspectIndex(pickRows(index, test));
  const copies = new Map<number, TestCopy>();
  for (let [from, missing] = [0, count]; missing > 0 && from < order.length; ) {
    const batch = order.slice(from, from + missing);
    from += batch.length;
    const before = copies.size;
    const suspects = new Map<number, number[]>();
    for (const [at, row] of batch.entries()) {
      if (at % ROWS_A_TURN === 0) await otherWork();
      const near = hashes.near(index.high[row] as number, index.low[row] as number);
      if (near.length > 0)
        suspects.set(
          row,
          near.map((place) => test[place] as number),
        );
    }
    if (from === count && suspects.size > 0)
      await search.rowsOf(idsAt(index, Int32Array.from([...order.slice(0, count + AHEAD), ...test])));
    await compare(batch, suspects, search, copies);
    missing = copies.size - before;
  }
  return copies;
}

async function compare(
  batch: readonly number[],
  suspects: ReadonlyMap<number, readonly number[]>,
  { index, thumbnails, rowsOf, signal, onProgress }: CopySearch,
  copies: Map<number, TestCopy>,
): Promise<void> {
  if (suspects.size === 0) return;
  // All of the batch, since most of it is drawn: the index is read once.
  const rows = await rowsOf(idsAt(index, Int32Array.from([...batch, ...[...suspects.values()].flat()])));
  const rowAt = (row: number): IndexRow | undefined => rows.get(index.ids.at(row));
  let done = 0;
  await forEachLimited(
    [...suspects],
    IN_PARALLEL,
    async ([row, near]) => {
      const image = rowAt(row);
      const test = near.flatMap((one) => rowAt(one) ?? []);
      const thumbnail = image === undefined ? null : await thumbnails.read(image);
      if (image !== undefined && thumbnail !== null) {
        const original = await thumbnails.originalOf(thumbnail, test);
        if (original !== undefined) copies.set(row, copyOf(image, original));
      }
      onProgress(++done, suspects.size);
    },
    signal,
  );
}

const copyOf = (image: IndexRow, test: IndexRow): TestCopy => ({
  ...{ imageId: image.imageId, fileName: image.fileName },
  ...{ testImageId: test.imageId, testFileName: test.fileName },
});

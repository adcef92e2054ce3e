import { chunkOf, type DrawnChunk, type DrawRequest, drawOrder } from '../domain/draw/drawChunk.js';
import type { DrawColumns } from '../domain/draw/drawColumns.js';
import { stillCopies, type TestCopy, wholeRows } from '../domain/draw/drawn.js';
import type { LeftOut } from '../domain/images/leftOut.js';
import type { ChunkRow, IndexRow } from '../domain/tables.js';
import type { ObjectStore } from '../storage/objects/objectStore.js';
import type { Pool } from '../storage/pool/pool.js';
import { copiesOfDraw } from './copies/copiesOfDraw.js';
import { Thumbnails } from './copies/thumbnails.js';
import { withDecoderApart } from './import/decoder.js';

/** A chunk with its whole rows, and the index by column that it was drawn from. */
export interface DrawnImages {
  index: DrawColumns;
  chunk: DrawnChunk;
  /** In order of image id. */
  rows: ChunkRow[];
  /** Training images that are copies of test images, as far as this draw and earlier ones came across them. */
  testCopies: TestCopy[];
  /** Images that might be such copies, or originals of some, and could not be read. */
  notCompared: LeftOut[];
}

export interface DrawImagesOptions {
  store: ObjectStore;
  /** Copies that earlier draws found. */
  knownCopies?: readonly TestCopy[];
  signal?: AbortSignal;
  onProgress?(phase: 'reading the index' | 'comparing with test images', done: number, total: number): void;
}

/**
 * Draw a chunk from a version of a pool. Of the whole index only columns are in memory, and whole rows of what was
 * drawn. Images whose hash is close to that of a test image are compared with it by their pictures.
 *
 * @throws PartloopError `pool-exhausted` where nothing is left, `leak-detected` for a row that must not be trained on;
 * faults of the store
 */
export async function drawImages(
  pool: Pool,
  version: number,
  request: Omit<DrawRequest, 'index' | 'pool' | 'copies'>,
  { store, knownCopies = [], signal, onProgress }: DrawImagesOptions,
): Promise<DrawnImages> {
  const index = await pool.readDrawColumns(version, (done, total) => onProgress?.('reading the index', done, total));
  const known = stillCopies(knownCopies, index);
  const copies = new Set(known.map(({ imageId }) => imageId));
  const whole: DrawRequest = { ...request, index, pool: pool.name, copies };
  const order = drawOrder(whole);
  const read = new Map<string, IndexRow>();
  const rowsOf = async (imageIds: ReadonlySet<string>): Promise<ReadonlyMap<string, IndexRow>> => {
    const missing = new Set([...imageIds].filter((imageId) => !read.has(imageId)));
    if (missing.size > 0) for (const row of await pool.readImages(version, missing)) read.set(row.imageId, row);
    return read;
  };
  const { found, unreadable } = await withDecoderApart(async (decoder) => {
    const thumbnails = new Thumbnails(store, decoder);
    if ((request.split ?? 'train') !== 'train') return { found: new Map(), unreadable: thumbnails.unreadable };
    const search = {
      ...{ index, thumbnails, rowsOf, signal },
      onProgress: (done: number, total: number) => onProgress?.('comparing with test images', done, total),
    };
    return { found: await copiesOfDraw(order.rows, request.chunkSize, search), unreadable: thumbnails.unreadable };
  });
  const chunk = chunkOf(whole, order, new Set(found.keys()));
  const images = await rowsOf(new Set(chunk.images.map(({ imageId }) => imageId)));
  const byId = (a: TestCopy, b: TestCopy): number => (a.imageId < b.imageId ? -1 : 1);
  return {
    ...{ index, chunk, rows: wholeRows(chunk, images, whole) },
    testCopies: [...known, ...found.values()].sort(byId),
    notCompared: [...unreadable.values()],
  };
}

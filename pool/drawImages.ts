import { type DrawnChunk, type DrawRequest, drawChunk } from '../domain/draw/drawChunk.js';
import type { DrawColumns } from '../domain/draw/drawColumns.js';
import { wholeRows } from '../domain/draw/drawn.js';
import type { ChunkRow } from '../domain/tables.js';
import type { Pool } from '../storage/pool/pool.js';

/** A chunk with its whole rows, and the index by column that it was drawn from. */
export interface DrawnImages {
  index: DrawColumns;
  chunk: DrawnChunk;
  /** In order of image id. */
  rows: ChunkRow[];
}

/**
 * Draw a chunk from a version of a pool. Of the whole index only columns are in memory, and whole rows of what was
 * drawn.
 *
 * @param onProgress is told how many of how many rows of the index were read
 * @throws PartloopError `pool-exhausted` where nothing is left, `leak-detected` for a row that must not be trained on
 */
export async function drawImages(
  pool: Pool,
  version: number,
  request: Omit<DrawRequest, 'index' | 'pool'>,
  onProgress?: (done: number, total: number) => void,
): Promise<DrawnImages> {
  const index = await pool.readDrawColumns(version, onProgress);
  const whole = { ...request, index, pool: pool.name };
  const chunk = drawChunk(whole);
  const images = await pool.readImages(version, new Set(chunk.images.map(({ imageId }) => imageId)));
  return { index, chunk, rows: wholeRows(chunk, images, whole) };
}

import { PartloopError } from '../domain/errors.js';
import type { ImageAnalysis } from '../domain/mislabel/index.js';
import type { ChunkRow } from '../domain/tables.js';
import { tagsSchema } from '../domain/tags.js';
import { readImage, readLabel } from '../storage/imageSource.js';
import type { ObjectStore } from '../storage/objectStore.js';
import { decodeForNetwork, decodeLabelForNetwork } from './decode.js';
import { derivativeSide, writeDerivative } from './derivative.js';
import type { SessionPool } from './sessions.js';

/** What the scan of one image leaves for the reduce. */
export interface ScannedImage {
  row: ChunkRow;
  analysis: ImageAnalysis | null;
  error: string | null;
}

export interface ScanRequest {
  store: ObjectStore;
  pool: string;
  rows: readonly ChunkRow[];
  sessions: SessionPool;
  seed: number;
  signal: AbortSignal;
  onProgress(done: number): void;
}

/** Pictures read ahead of each session: enough to keep it busy, and all the memory a shard takes however long it is. */
const READ_AHEAD = 2;

/**
 * Judge rows in order of arrival with bounded read-ahead; the answer is in the rows' order. A picture or label that
 * cannot be read becomes a row with its reason and never stops the rest. An abort ends after the pictures at hand.
 */
export async function scanRows(request: ScanRequest): Promise<ScannedImage[]> {
  const { rows, sessions, signal } = request;
  const scanned = new Array<ScannedImage>(rows.length);
  let next = 0;
  let done = 0;
  const lane = async (): Promise<void> => {
    while (next < rows.length && !signal.aborted) {
      const index = next++;
      scanned[index] = await scanRow(request, rows[index] as ChunkRow);
      request.onProgress(++done);
    }
  };
  await Promise.all(Array.from({ length: Math.min(rows.length, sessions.sessions * (1 + READ_AHEAD)) }, lane));
  signal.throwIfAborted();
  return scanned;
}

async function scanRow({ store, pool, sessions, seed }: ScanRequest, row: ChunkRow): Promise<ScannedImage> {
  const { size } = sessions;
  try {
    const [image, label] = await Promise.all([readImage(store, row), readLabel(store, row)]);
    const [{ rgb, width, height }, labelPixels] = await Promise.all([
      decodeForNetwork(image, size, row.fileName),
      decodeLabelForNetwork(label, row, size, row.fileName),
    ]);
    const [analysis] = await Promise.all([
      sessions.analyse({
        rgb,
        label: labelPixels,
        width,
        height,
        tags: tagsSchema.parse(row),
        injectSeed: `${seed}:${row.imageId}`,
      }),
      writeDerivative(store, pool, row, derivativeSide(size), image, label),
    ]);
    return { row, analysis, error: null };
  } catch (error) {
    if (
      error instanceof PartloopError &&
      (error.code === 'data-invalid' || error.code === 'data-changed' || error.code === 'not-found')
    ) {
      return { row, analysis: null, error: error.message };
    }
    throw error;
  }
}

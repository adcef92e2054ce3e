import { PartloopError } from '../domain/errors.js';
import type { ImageAnalysis } from '../domain/mislabel/index.js';
import { seededRandom } from '../domain/random.js';
import type { ChunkRow } from '../domain/tables.js';
import { tagsSchema } from '../domain/tags.js';
import { readImage, readLabel } from '../storage/imageSource.js';
import type { ObjectStore } from '../storage/objectStore.js';
import { decodeForNetwork, decodeLabelOf, fitLabel } from './decode.js';
import { derivativeSide, writeDerivative } from './derivative.js';
import { contentSize } from './letterbox.js';
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
  /** Share of the images, 0..1, whose labels are also analysed with injected errors: calibration needs thousands, not all. */
  injectShare: number;
  signal: AbortSignal;
  /** Called once an image, in order of arrival, with its place among the rows. What is kept of it is the caller's matter. */
  onScanned(image: ScannedImage, index: number): void;
}

/** Pictures read ahead of each session: enough to keep it busy, and all the memory a shard takes however long it is. */
const READ_AHEAD = 2;

/**
 * Judge rows with bounded read-ahead. A picture or label that cannot be read is told with its reason and never stops the
 * rest. An abort ends after the pictures at hand.
 */
export async function scanRows(request: ScanRequest): Promise<void> {
  const { rows, sessions, signal } = request;
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < rows.length && !signal.aborted) {
      const index = next++;
      request.onScanned(await scanRow(request, rows[index] as ChunkRow), index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(rows.length, sessions.sessions * (1 + READ_AHEAD)) }, lane));
  signal.throwIfAborted();
}

async function scanRow(
  { store, pool, sessions, seed, injectShare }: ScanRequest,
  row: ChunkRow,
): Promise<ScannedImage> {
  const { size, labelSize, classes } = sessions;
  try {
    const [image, label] = await Promise.all([readImage(store, row), readLabel(store, row)]);
    const [picture, given] = await Promise.all([
      decodeForNetwork(image, size, row.fileName),
      decodeLabelOf(label, { width: row.width, height: row.height, classes }, row.fileName),
    ]);
    const indexed = contentSize(row.width, row.height, size);
    if (picture.width !== indexed.width || picture.height !== indexed.height) {
      throw new PartloopError(
        'data-invalid',
        `${row.fileName} has another shape than the ${row.width}×${row.height} it was imported with`,
      );
    }
    const [analysis] = await Promise.all([
      sessions.analyse(picture, {
        label: fitLabel(given, labelSize),
        ...contentSize(row.width, row.height, labelSize),
        tags: tagsSchema.parse(row),
        injectSeed: seededRandom(`inject:${seed}:${row.imageId}`)() < injectShare ? `${seed}:${row.imageId}` : null,
      }),
      writeDerivative(store, pool, row, derivativeSide(size), image, given),
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

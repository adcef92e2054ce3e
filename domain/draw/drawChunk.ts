import { PartloopError } from '../errors.js';
import { seededRandom, shuffle } from '../random.js';
import type { ChunkRow, IndexRow } from '../tables.js';
import { copyDetector, nearDuplicateClusters } from './nearDuplicates.js';

export interface DrawRequest {
  /** Newest revision of every image of the pinned pool version. */
  index: readonly IndexRow[];
  /** Ids that earlier iterations of this loop drew. */
  drawnBefore: ReadonlySet<string>;
  chunkSize: number;
  seed: number;
  iteration: number;
  /** For messages. */
  pool: string;
}

export interface DrawnChunk {
  /** In order of image id. */
  rows: ChunkRow[];
  /** Candidates left for later iterations. */
  remaining: number;
  testImages: number;
  /** Why train images were no candidates: counts for the report. */
  leftOut: { interior: number; drawnBefore: number; testVehicle: number; testCopy: number };
}

/**
 * Draw a uniform sample of the images a loop has not seen. Interior pictures, test images, their copies and their
 * vehicles are never drawn. Pure: the same request gives the same chunk.
 *
 * @throws PartloopError `pool-exhausted` where nothing is left
 */
export function drawChunk({ index, drawnBefore, chunkSize, seed, iteration, pool }: DrawRequest): DrawnChunk {
  const test = index.filter((row) => row.split === 'test');
  const protect = testGuard(test);
  const leftOut = { interior: 0, drawnBefore: 0, testVehicle: 0, testCopy: 0 };
  const train = index.filter((row) => row.split === 'train');
  const candidates = train.filter((row) => {
    const reason = row.region === 'interior' ? 'interior' : drawnBefore.has(row.imageId) ? 'drawnBefore' : protect(row);
    if (reason !== null) leftOut[reason]++;
    return reason === null;
  });
  if (candidates.length === 0) {
    const reasons = Object.entries(leftOut)
      .filter(([, count]) => count > 0)
      .map(([reason, count]) => `${reason}: ${count}`);
    throw new PartloopError(
      'pool-exhausted',
      `pool \`${pool}\` has no image left to draw: of ${train.length} training images ${reasons.join(', ') || 'there is none'}`,
      {
        hint: 'Import more images, or start a loop under another name to draw from the beginning.',
      },
    );
  }

  const ordered = candidates.toSorted(byImageId);
  const picked = shuffle(ordered, seededRandom(seed, iteration, 'draw'))
    .slice(0, chunkSize)
    .sort(byImageId);
  // Clusters come from all training images, so that a group keeps its name from chunk to chunk.
  const clusters = nearDuplicateClusters(train);
  const rows = picked.map((row) => ({ ...row, cluster: clusters.get(row.imageId) ?? row.imageId }));
  assertNoLeak(rows, test);
  return { rows, remaining: candidates.length - picked.length, testImages: test.length, leftOut };
}

/**
 * Refuse rows that would show a model its test set.
 *
 * @throws PartloopError `leak-detected` naming the first image at fault
 */
export function assertNoLeak(rows: readonly IndexRow[], test: readonly IndexRow[]): void {
  const protect = testGuard(test);
  for (const row of rows) {
    const reason = row.split === 'test' ? 'testCopy' : protect(row);
    if (reason === null) continue;
    const what =
      reason === 'testVehicle' ? `shows vehicle \`${row.vehicleId}\` of the test set` : 'is a copy of a test image';
    throw new PartloopError(
      'leak-detected',
      `${row.fileName} (${row.imageId.slice(0, 12)}) ${what} and must not be trained on`,
      {
        hint: 'Remove it from the training split, or give the picture its right vehicle id, and import again.',
      },
    );
  }
}

function testGuard(test: readonly IndexRow[]): (row: IndexRow) => 'testVehicle' | 'testCopy' | null {
  const ids = new Set(test.map((row) => row.imageId));
  const vehicles = new Set(test.flatMap((row) => row.vehicleId ?? []));
  const isCopy = copyDetector(test.map((row) => row.perceptualHash));
  return (row) => {
    if (row.vehicleId !== null && vehicles.has(row.vehicleId)) return 'testVehicle';
    return ids.has(row.imageId) || isCopy(row.perceptualHash) ? 'testCopy' : null;
  };
}

function byImageId(a: { imageId: string }, b: { imageId: string }): number {
  return a.imageId < b.imageId ? -1 : a.imageId > b.imageId ? 1 : 0;
}

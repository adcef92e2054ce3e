import { counted } from '../base/counted.js';
import { PartloopError } from '../base/errors.js';
import { seededRandom, shuffle } from '../base/random.js';
import { isInSplit, type SplitChoice } from '../scan/judge/split.js';
import type { ChunkRow, DrawRow } from '../tables.js';
import { copyDetector, nearDuplicateClusters } from './nearDuplicates.js';

export interface DrawRequest<Row extends DrawRow> {
  /** Newest revision of every image of the pinned pool version. */
  index: readonly Row[];
  /** Ids that earlier iterations of this loop drew. */
  drawnBefore: ReadonlySet<string>;
  chunkSize: number;
  seed: number;
  iteration: number;
  /** For messages. */
  pool: string;
  /** Images that a scan outside a loop judges; a loop draws from `train`. */
  split?: SplitChoice;
}

export interface DrawnChunk<Row extends DrawRow = DrawRow> {
  /** In order of image id, each with the group of near duplicates that it belongs to. */
  rows: (Row & Pick<ChunkRow, 'cluster'>)[];
  /** Candidates left for later iterations. */
  remaining: number;
  testImages: number;
  /**
   * Reasons why the other images of the pool were no candidates; with `rows` and `remaining` they add up to the index.
   */
  leftOut: Record<NotDrawn | 'drawnBefore', number>;
}

/**
 * The reason why an image is never drawn: its side of the split, its view, or a copy or vehicle that it shares with a
 * test image.
 */
export type NotDrawn = `other${'Train' | 'Val' | 'Test'}` | 'interior' | 'testVehicle' | 'testCopy';
const OTHER = { train: 'otherTrain', val: 'otherVal', test: 'otherTest' } as const;

/**
 * The reason why an image of a pool is never drawn; null if it may be drawn. Only the training images of lasting models
 * are kept apart from the test set: a scan of another split is for review, and its folds judge nothing else.
 */
export function whyNotDrawn(index: readonly DrawRow[], split: SplitChoice): (row: DrawRow) => NotDrawn | null {
  const protect = split === 'train' ? testGuard(index.filter((row) => row.split === 'test')) : () => null;
  return (row) => {
    if (!isInSplit(row, split)) return OTHER[row.split];
    return row.region === 'interior' ? 'interior' : protect(row);
  };
}

/**
 * Draw a uniform sample of the images a loop has not seen. Interior pictures, test images, their copies and their
 * vehicles are never drawn. Pure: the same request gives the same chunk.
 *
 * @throws PartloopError `pool-exhausted` if nothing is left
 */
export function drawChunk<Row extends DrawRow>(request: DrawRequest<Row>): DrawnChunk<Row> {
  const { index, drawnBefore, chunkSize, seed, iteration, pool, split = 'train' } = request;
  const test = index.filter((row) => row.split === 'test');
  const reasonOf = whyNotDrawn(index, split);
  const leftOut = {
    ...{ otherTrain: 0, otherVal: 0, otherTest: 0 },
    ...{ interior: 0, drawnBefore: 0, testVehicle: 0, testCopy: 0 },
  };
  const candidates = index.filter((row) => {
    const reason = reasonOf(row) ?? (drawnBefore.has(row.imageId) ? 'drawnBefore' : null);
    if (reason !== null) leftOut[reason]++;
    return reason === null;
  });
  if (candidates.length === 0) {
    const reasons = Object.entries(leftOut)
      .filter(([reason, count]) => count > 0 && !reason.startsWith('other'))
      .map(([reason, count]) => `${reason}: ${count}`);
    const side = index.filter((row) => isInSplit(row, split)).length;
    const which = { train: 'training ', val: 'validation ', test: 'test ', all: '' }[split];
    throw new PartloopError(
      'pool-exhausted',
      `pool \`${pool}\` has no image left to draw: of ${counted(side, `${which}image`, `${which}images`)} ${reasons.join(', ') || 'there is none'}`,
      {
        hint: `Import more images${drawnBefore.size === 0 ? '.' : ', or start a loop under another name to draw from the beginning.'}`,
      },
    );
  }

  const ordered = candidates.toSorted(byImageId);
  const picked = shuffle(ordered, seededRandom(seed, iteration, 'draw'))
    .slice(0, chunkSize)
    .sort(byImageId);
  // Clusters come from all training images, so that a group keeps its name from chunk to chunk.
  const clusters = nearDuplicateClusters(split === 'train' ? index.filter((row) => row.split === 'train') : index);
  const rows = picked.map((row) => ({ ...row, cluster: clusters.get(row.imageId) ?? row.imageId }));
  if (split === 'train') assertNoLeak(rows, test);
  return { rows, remaining: candidates.length - picked.length, testImages: test.length, leftOut };
}

/**
 * Refuse rows that would show a model its test set.
 *
 * @throws PartloopError `leak-detected` naming the first image at fault
 */
export function assertNoLeak(rows: readonly DrawRow[], test: readonly DrawRow[]): void {
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
        hint: 'Remove it from the training split, or correct the vehicle id of the picture, and import again.',
      },
    );
  }
}

function testGuard(test: readonly DrawRow[]): (row: DrawRow) => 'testVehicle' | 'testCopy' | null {
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

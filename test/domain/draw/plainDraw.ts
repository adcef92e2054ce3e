import { seededRandom, shuffle } from '../../../domain/base/random.js';
import { TEST_COPY_BITS } from '../../../domain/draw/copyDetector.js';
import type { DrawnChunk, DrawRequest } from '../../../domain/draw/drawChunk.js';
import { COPY_BITS, SAME_VEHICLE_BITS } from '../../../domain/draw/nearDuplicates.js';
import type { NotDrawn } from '../../../domain/draw/notDrawn.js';
import { hashDistance } from '../../../domain/draw/perceptualHash.js';
import { isInSplit, type SplitChoice } from '../../../domain/scan/judge/split.js';
import type { DrawRow } from '../../../domain/tables.js';

type PlainRequest = Omit<DrawRequest, 'index'> & { index: readonly DrawRow[] };

/** A draw as its rules say it, on rows, every image compared with every other: what the quick one must equal. */
export function plainDraw(request: PlainRequest): DrawnChunk {
  const { index, drawnBefore, chunkSize, seed, iteration, split = 'train' } = request;
  const leftOut: DrawnChunk['leftOut'] = {
    ...{ otherTrain: 0, otherVal: 0, otherTest: 0 },
    ...{ interior: 0, drawnBefore: 0, testVehicle: 0, testCopy: 0 },
  };
  const candidates = index.filter((row) => {
    const reason = plainReason(row, index, split) ?? (drawnBefore.has(row.imageId) ? 'drawnBefore' : null);
    if (reason !== null) leftOut[reason]++;
    return reason === null;
  });
  const picked = shuffle(candidates.toSorted(byId), seededRandom(seed, iteration, 'draw'))
    .slice(0, chunkSize)
    .sort(byId);
  const clusters = plainClusters(split === 'train' ? index.filter((row) => row.split === 'train') : index);
  return {
    images: picked.map(({ imageId }) => ({ imageId, cluster: clusters.get(imageId) ?? '' })),
    remaining: candidates.length - picked.length,
    testImages: index.filter((row) => row.split === 'test').length,
    leftOut,
  };
}

/** Why an image is never drawn. */
export function plainReason(row: DrawRow, index: readonly DrawRow[], split: SplitChoice): NotDrawn | null {
  if (!isInSplit(row, split)) return ({ train: 'otherTrain', val: 'otherVal', test: 'otherTest' } as const)[row.split];
  if (row.region === 'interior') return 'interior';
  if (split !== 'train') return null;
  const test = index.filter((other) => other.split === 'test');
  if (row.vehicleId !== null && test.some((other) => other.vehicleId === row.vehicleId)) return 'testVehicle';
  return test.some((other) => hashDistance(other.perceptualHash, row.perceptualHash) <= TEST_COPY_BITS)
    ? 'testCopy'
    : null;
}

/** The smallest image id of everything that an image is joined with, one step after the other. */
export function plainClusters(rows: readonly DrawRow[]): Map<string, string> {
  const clusters = new Map(rows.map(({ imageId }) => [imageId, imageId]));
  for (let changed = true; changed; ) {
    changed = false;
    for (const one of rows)
      for (const other of rows) {
        const isSame = one.vehicleId !== null && one.vehicleId === other.vehicleId;
        const bits = isSame ? SAME_VEHICLE_BITS : COPY_BITS;
        if (hashDistance(one.perceptualHash, other.perceptualHash) > bits) continue;
        const smaller = clusters.get(other.imageId) ?? '';
        if (smaller >= (clusters.get(one.imageId) ?? '')) continue;
        clusters.set(one.imageId, smaller);
        changed = true;
      }
  }
  return clusters;
}

const byId = (a: DrawRow, b: DrawRow): number => (a.imageId < b.imageId ? -1 : a.imageId > b.imageId ? 1 : 0);

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { PartloopError } from '../../../domain/base/errors.js';
import { drawChunk } from '../../../domain/draw/drawChunk.js';
import { columnsOf } from '../../../domain/draw/drawColumns.js';
import type { LeftOut } from '../../../domain/images/leftOut.js';
import {
  countFacts,
  countsOf,
  countsText,
  NO_JUDGE,
  type ScanCounts,
  SHARD_FAILED,
} from '../../../domain/scan/counts.js';
import { exportScan, leftOutOfScan } from '../../../domain/scan/export.js';
import { splitChoiceSchema } from '../../../domain/scan/judge/split.js';
import { idOf, indexRow, scanRow, TAXONOMY } from '../sample/rows.js';

const FATES = ['scanned', 'missing', 'unreadable', 'unjudged', 'failed'] as const;
const imageOf = fc.record({
  split: fc.constantFrom('train' as const, 'val' as const, 'test' as const),
  region: fc.constantFrom('exterior' as const, 'interior' as const, null),
  vehicleId: fc.constantFrom(null, null, 'a', 'b'),
  fate: fc.constantFrom(...FATES),
  drawnBefore: fc.boolean(),
});

describe('the counts of a scan', () => {
  it('add up to the pool, and its two tables hold each image once, whatever happened to it', () => {
    const images = fc.array(imageOf, { minLength: 1, maxLength: 60 });
    const split = fc.constantFrom(...splitChoiceSchema.options);
    fc.assert(
      fc.property(images, split, fc.integer({ min: 1, max: 80 }), (pool, choice, chunkSize) => {
        const index = pool.map(({ split: side, region, vehicleId }, n) =>
          indexRow(n, { split: side, region, vehicleId }),
        );
        const drawnBefore = new Set(pool.flatMap(({ drawnBefore: before }, n) => (before ? [idOf(n)] : [])));
        const fateOf = (imageId: string) => pool[Number(BigInt(`0x${imageId}`))]?.fate;
        const chunk = chunkOf({
          index: columnsOf(index),
          drawnBefore,
          chunkSize,
          seed: 1,
          iteration: 2,
          pool: 'cars',
          split: choice,
        });
        if (chunk === null) return;
        const missing: LeftOut[] = chunk.images
          .filter(({ imageId }) => fateOf(imageId) === 'missing')
          .map(({ imageId }) => ({ imageId, fileName: 'car.jpg', kind: 'gone', reason: 'it is gone' }));
        const scanned = chunk.images
          .filter(({ imageId }) => fateOf(imageId) !== 'missing')
          .map(({ imageId }) => {
            const fate = fateOf(imageId);
            const row = scanRow(Number(BigInt(`0x${imageId}`)));
            if (fate === 'unreadable') return { ...row, kinds: ['unreadable'], error: 'cannot be decoded' };
            return { ...row, error: fate === 'unjudged' ? NO_JUDGE : fate === 'failed' ? SHARD_FAILED : null };
          });
        const { leftOut } = chunk;
        const draw = {
          ...{ split: choice, poolImages: index.length, remaining: chunk.remaining, missing: missing.length },
          ...{ otherTrain: leftOut.otherTrain, otherVal: leftOut.otherVal, otherTest: leftOut.otherTest },
          ...{ interior: leftOut.interior, drawnBefore: leftOut.drawnBefore },
          heldBack: leftOut.testVehicle + leftOut.testCopy,
        };
        const counts = countsOf(countFacts(draw, scanned));
        assert.ok(counts !== null);
        const { split: _, poolImages, ...parts } = counts;
        assert.equal(sum(parts), poolImages);

        const judged = exportScan(scanned, [], TAXONOMY, () => ({ width: 1, height: 1 })).images;
        const rest = leftOutOfScan(index, scanned, { missing, testCopies: [] }, choice);
        assert.equal(judged.length, counts.scanned);
        const ids = [...judged, ...rest].map(({ image_id }) => image_id);
        assert.deepEqual(
          ids.sort(),
          index.map(({ imageId }) => imageId),
        );
        assert.equal(rest.filter(({ reason }) => reason === 'gone').length, counts.missing);
        assert.equal(rest.filter(({ reason }) => reason === 'unreadable').length, counts.unreadable);
        const others = counts.otherTrain + counts.otherVal + counts.otherTest;
        assert.equal(rest.filter(({ reason }) => /^in the \w+ split, not scanned$/.test(reason)).length, others);
      }),
    );
  });

  it('are one sentence that leaves out zeros', () => {
    const none: ScanCounts = {
      ...{ split: 'train', poolImages: 600, scanned: 600, otherTrain: 0, otherVal: 0, otherTest: 0, interior: 0 },
      ...{ heldBack: 0, drawnBefore: 0, remaining: 0, missing: 0, unreadable: 0, unjudged: 0, failed: 0 },
    };
    assert.equal(countsText(none), 'scanned 600 of 600 images');
    assert.equal(countsText({ ...none, poolImages: 1, scanned: 1 }), 'scanned 1 of 1 image');
    assert.equal(
      countsText({ ...none, scanned: 538, otherTest: 40, otherVal: 20, missing: 2 }),
      'scanned 538 of 600 images; not scanned: 20 in the validation split, 40 in the test split, 2 missing or changed',
    );
  });

  it('are unknown for scans that are older than the counts', () => {
    assert.equal(countsOf({ scanned: 60, overThreshold: 3, findings: 4 }), null);
    assert.equal(countsOf(countFacts({ drawn: 60, missing: 0 }, [])), null);
  });
});

function chunkOf(request: Parameters<typeof drawChunk>[0]): ReturnType<typeof drawChunk> | null {
  try {
    return drawChunk(request);
  } catch (error) {
    if (error instanceof PartloopError && error.code === 'pool-exhausted') return null;
    throw error;
  }
}

const sum = (parts: Record<string, number>): number => Object.values(parts).reduce((total, part) => total + part, 0);

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { PartloopError } from '../../../domain/base/errors.js';
import { seededRandom } from '../../../domain/base/random.js';
import { copyDetector } from '../../../domain/draw/copyDetector.js';
import { type DrawRequest, drawChunk } from '../../../domain/draw/drawChunk.js';
import { columnsOf, newestOf } from '../../../domain/draw/drawColumns.js';
import { wholeRows } from '../../../domain/draw/drawn.js';
import { COPY_BITS, nearDuplicateClusters } from '../../../domain/draw/nearDuplicates.js';
import { hashDistance } from '../../../domain/draw/perceptualHash.js';
import { assertNoLeak, TestSet } from '../../../domain/draw/testSet.js';
import type { ChunkRow, IndexRow } from '../../../domain/tables.js';
import { idOf, indexRow } from '../sample/rows.js';

const randomHash = (random: () => number): string =>
  Array.from({ length: 16 }, () => Math.floor(random() * 16).toString(16)).join('');

function pool(count: number) {
  const random = seededRandom('draw test');
  return Array.from({ length: count }, (_, n) =>
    indexRow(n, {
      split: n % 5 === 0 ? 'test' : n % 11 === 0 ? 'val' : 'train',
      vehicleId: n % 7 === 0 ? null : `vehicle-${Math.floor(n / 3)}`,
      region: n % 13 === 0 ? 'interior' : 'exterior',
      perceptualHash: randomHash(random),
    }),
  );
}

const byId = (rows: readonly IndexRow[]) => new Map(rows.map((row) => [row.imageId, row]));

/** The whole rows that a draw from these gives. */
function drawn(index: readonly IndexRow[], request: Omit<DrawRequest, 'index'>): ChunkRow[] {
  const whole = { ...request, index: newestOf(columnsOf(index)) };
  return wholeRows(drawChunk(whole), byId(index), whole);
}

const request = { drawnBefore: new Set<string>(), chunkSize: 20, seed: 1, iteration: 1, pool: 'cars' };

describe('drawing a chunk', () => {
  it('never draws an image twice, an interior, a test image, or a vehicle or copy of the test set', () => {
    const index = pool(300);
    const test = index.filter((row) => row.split === 'test');
    const vehicles = new Set(test.flatMap((row) => row.vehicleId ?? []));
    const before = new Set<string>();
    for (let iteration = 1; ; iteration++) {
      const count = before.size;
      try {
        for (const row of drawn(index, { ...request, drawnBefore: before, iteration })) {
          assert.ok(!before.has(row.imageId));
          assert.equal(row.split, 'train');
          assert.notEqual(row.region, 'interior');
          assert.ok(row.vehicleId === null || !vehicles.has(row.vehicleId));
          before.add(row.imageId);
        }
        assert.ok(before.size > count);
      } catch (error) {
        assert.ok(error instanceof PartloopError && error.code === 'pool-exhausted');
        break;
      }
    }
    assert.ok(before.size > 20);
  });

  it('gives the same rows for any order of the index, and other rows for another seed', () => {
    const index = pool(200);
    const rows = drawn(index, request);
    assert.deepEqual(drawn(index.toReversed(), request), rows);
    assert.notDeepEqual(drawn(index, { ...request, seed: 2 }), rows);
  });

  it('draws what remains if the pool holds less than a chunk', () => {
    const chunk = drawChunk({ ...request, index: columnsOf([indexRow(1), indexRow(2)]) });
    assert.equal(chunk.images.length, 2);
    assert.equal(chunk.remaining, 0);
  });

  it('names the image if a row would leak the test set', () => {
    const test = indexRow(1, { split: 'test', perceptualHash: '00000000000000ff' });
    const copy = indexRow(2, { perceptualHash: '00000000000000fe' });
    assert.throws(
      () => assertNoLeak([copy], TestSet.ofRows([test])),
      (error: unknown) =>
        error instanceof PartloopError && error.code === 'leak-detected' && error.message.includes(copy.fileName),
    );
  });
});

describe('the whole rows of a chunk', () => {
  for (const [what, fields] of [
    ['a test image', { split: 'test' }],
    ['a copy of a test image', { perceptualHash: '00000000000000fe' }],
    ['a vehicle of the test set', { vehicleId: 'v1' }],
  ] as const)
    it(`are refused if one of them shows ${what}, whatever the draw took it for`, () => {
      const test = indexRow(1, { split: 'test', perceptualHash: '00000000000000ff', vehicleId: 'v1' });
      const whole = { ...request, index: columnsOf([test, indexRow(2)]) };
      const chunk = drawChunk(whole);
      assert.equal(wholeRows(chunk, byId([indexRow(2)]), whole).length, 1);
      assert.throws(
        () => wholeRows(chunk, byId([indexRow(2, fields)]), whole),
        (error: unknown) => error instanceof PartloopError && error.code === 'leak-detected',
      );
    });
});

describe('near duplicates', () => {
  it('are exactly those that comparing every pair finds', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(fc.integer({ min: 0, max: 3 }), fc.array(fc.integer({ min: 0, max: 63 }), { maxLength: 4 })),
          { minLength: 1, maxLength: 12 },
        ),
        (specs) => {
          const hashes = specs.map(([base, flips]) => {
            let bits = [0x0n, 0xffffffffffffffffn, 0xaaaaaaaaaaaaaaaan, 0x123456789abcdef0n][base] as bigint;
            for (const flip of flips) bits ^= 1n << BigInt(flip);
            return bits.toString(16).padStart(16, '0');
          });
          const detect = copyDetector(hashes, COPY_BITS);
          for (const hash of hashes) {
            assert.ok(detect(hash));
            const flipped = (BigInt(`0x${hash}`) ^ 0x8000000000000001n).toString(16).padStart(16, '0');
            assert.equal(
              detect(flipped),
              hashes.some((other) => hashDistance(other, flipped) <= COPY_BITS),
            );
          }
          const clusters = nearDuplicateClusters(
            hashes.map((perceptualHash, n) => ({ imageId: idOf(n), perceptualHash, vehicleId: null })),
          );
          hashes.forEach((a, i) => {
            hashes.forEach((b, j) => {
              if (hashDistance(a, b) <= COPY_BITS) assert.equal(clusters.get(idOf(i)), clusters.get(idOf(j)));
            });
          });
        },
      ),
    );
  });

  it('may differ more if they show one vehicle', () => {
    const row = (n: number, perceptualHash: string, vehicleId: string) => ({
      imageId: idOf(n),
      perceptualHash,
      vehicleId,
    });
    const clusters = nearDuplicateClusters([
      row(1, '0000000000000000', 'a'),
      row(2, '00000000000003ff', 'a'),
      row(3, '0000000003ff0000', 'b'),
    ]);
    assert.equal(clusters.get(idOf(1)), clusters.get(idOf(2)));
    assert.notEqual(clusters.get(idOf(1)), clusters.get(idOf(3)));
  });
});

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { columnsOf, newestOf } from '../../../domain/draw/drawColumns.js';
import { seenImages } from '../../../domain/evaluate/seen.js';
import type { IndexRow } from '../../../domain/tables.js';
import { idOf, indexRow } from '../sample/rows.js';

/** Hashes that are far from each other. */
const HASHES = ['0000000000000000', 'ffffffffffffffff', '00000000ffffffff', 'ffff0000ffff0000'];
const pool: fc.Arbitrary<{ rows: IndexRow[]; trained: boolean[] }> = fc
  .array(
    fc.record({
      split: fc.constantFrom('train' as const, 'val' as const, 'test' as const),
      vehicleId: fc.option(fc.constantFrom('a', 'b', 'c')),
      perceptualHash: fc.option(fc.constantFrom(...HASHES)),
      trained: fc.boolean(),
    }),
    { minLength: 1, maxLength: 12 },
  )
  .map((images) => ({
    rows: images.map(({ split, vehicleId, perceptualHash }, n) =>
      indexRow(n + 1, { split, vehicleId, ...(perceptualHash === null ? {} : { perceptualHash }) }),
    ),
    trained: images.map(({ trained }) => trained),
  }));
const listOf = (rows: readonly IndexRow[]) => ({
  images: rows.map(({ imageId, vehicleId }) => ({ imageId, vehicleId, cluster: imageId })),
});

describe('the images that a model has seen', () => {
  it('are those of its list, their copies and those of their vehicles, on any side of the split, and no others', () => {
    fc.assert(
      fc.property(pool, ({ rows, trained }) => {
        const listed = rows.filter((_, n) => trained[n]);
        const seen = seenImages(listOf(listed), newestOf(columnsOf(rows)));
        for (const row of rows) {
          const isCopy = listed.some(({ perceptualHash }) => perceptualHash === row.perceptualHash);
          const isVehicle = listed.some(({ vehicleId }) => vehicleId !== null && vehicleId === row.vehicleId);
          const how = listed.includes(row) ? 'image' : isCopy ? 'copy' : isVehicle ? 'vehicle' : undefined;
          assert.equal(seen.get(row.imageId), how, row.fileName);
        }
      }),
    );
  });

  it('become no fewer with a longer list', () => {
    fc.assert(
      fc.property(pool, fc.nat(), ({ rows, trained }, n) => {
        const index = newestOf(columnsOf(rows));
        const listed = rows.filter((_, at) => trained[at]);
        const [fewer, more] = [listed, [...listed, rows[n % rows.length] as IndexRow]].map((of) =>
          seenImages(listOf(of), index),
        );
        for (const imageId of fewer?.keys() ?? []) assert.ok(more?.has(imageId));
      }),
    );
  });

  it('include copies of images that the pool has no longer, if their group was listed', () => {
    const row = indexRow(1);
    const list = { images: [{ imageId: idOf(9), vehicleId: null, cluster: row.imageId }] };
    assert.deepEqual([...seenImages(list, newestOf(columnsOf([row])))], [[row.imageId, 'copy']]);
  });
});

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { drawChunk } from '../../../domain/draw/drawChunk.js';
import { columnsOf, newestOf } from '../../../domain/draw/drawColumns.js';
import type { IndexRow } from '../../../domain/tables.js';
import { NO_FACTS } from '../../../formats/reading/importItem.js';
import { type LeakQuestion, testLeakNotices } from '../../../pool/import/testLeaks.js';
import { indexRow } from '../../domain/sample/rows.js';
import { runImport } from '../../support/pictures/pictures.js';
import { memoryStore } from '../../support/standIns/memoryStore.js';
import { item } from './items.js';

/** Far apart, so that only pictures that a test makes alike are alike. */
const hash = (n: number): string =>
  ((BigInt(n) * 0x9e37_79b9_7f4a_7c15n) & 0xffff_ffff_ffff_ffffn).toString(16).padStart(16, '0');
const row = (n: number, fields: Parameters<typeof indexRow>[1] = {}) =>
  indexRow(n, { split: 'train', vehicleId: null, perceptualHash: hash(n + 1), region: 'exterior', ...fields });
const question = (images: readonly IndexRow[], ofImport: readonly IndexRow[]): LeakQuestion => ({
  index: newestOf(columnsOf(images)),
  imported: ofImport.map(({ imageId }) => imageId),
  fileNameOf: (imageId) => images.find((one) => one.imageId === imageId)?.fileName ?? '',
});
const told = (images: readonly IndexRow[], ofImport: readonly IndexRow[]) =>
  testLeakNotices(question(images, ofImport)).map(({ notice, examples }) => [notice, examples]);

describe('training images that share a vehicle or a copy with the test set', () => {
  const test = row(1, { split: 'test', vehicleId: 'v1', fileName: 'test.jpg' });

  it('are reported if the import adds them', () => {
    const sameVehicle = row(2, { vehicleId: 'v1', fileName: 'other-view.jpg' });
    const copy = row(3, { perceptualHash: test.perceptualHash, fileName: 'saved-again.jpg' });
    assert.deepEqual(told([test, sameVehicle, copy, row(4)], [sameVehicle, copy]), [
      ['training images of this import that share a vehicle with the test set: no loop draws them', ['other-view.jpg']],
      [
        'training images of this import that share a picture with the test set: no loop draws them',
        ['saved-again.jpg'],
      ],
    ]);
  });

  it('are reported if the import adds their test image, and not if it adds neither', () => {
    const before = row(2, { vehicleId: 'v1', fileName: 'before.jpg' });
    assert.deepEqual(told([test, before], [test]), [
      [
        'earlier training images that share a vehicle with test images of this import: no loop draws them',
        ['before.jpg'],
      ],
    ]);
    assert.deepEqual(told([test, before, row(5)], [row(5)]), []);
  });

  it('are exactly those that draw leaves out for the test set', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ isTest: fc.boolean(), vehicle: fc.nat(5), look: fc.nat(30), isInterior: fc.boolean() }), {
          minLength: 1,
          maxLength: 40,
        }),
        (pictures) => {
          const rows = pictures.map(({ isTest, vehicle, look, isInterior }, n) =>
            row(n, {
              split: isTest ? 'test' : 'train',
              region: isInterior ? 'interior' : 'exterior',
              vehicleId: vehicle === 0 ? null : `v${vehicle}`,
              perceptualHash: hash(look),
            }),
          );
          // One that is always drawn, since drawing nothing is an error.
          const index = [...rows, row(99, { perceptualHash: hash(1_000) })];
          const request = {
            index: newestOf(columnsOf(index)),
            drawnBefore: new Set<string>(),
            chunkSize: 100,
            seed: 1,
            iteration: 1,
            pool: 'cars',
          };
          const { leftOut } = drawChunk(request);
          const counts = testLeakNotices(question(index, index));
          assert.equal(
            counts.reduce((sum, { count }) => sum + count, 0),
            leftOut.testCopy + leftOut.testVehicle,
          );
        },
      ),
    );
  });

  it('are among the notices of an import, also if the images are known', async () => {
    const store = memoryStore();
    const facts = (split: 'train' | 'test') => ({ facts: { ...NO_FACTS, vehicleId: 'v1', split } });
    const alone = await runImport(store, [item(1, 1, facts('test'))]);
    assert.deepEqual(alone.notices, []);
    const expected = [
      {
        notice: 'training images of this import that share a vehicle with the test set: no loop draws them',
        count: 1,
        examples: ['2.jpg'],
      },
    ];
    for (const outcome of ['added', 'known'] as const) {
      const report = await runImport(store, [item(2, 1, facts('train'))]);
      assert.deepEqual([report[outcome], report.notices], [1, expected]);
    }
  });
});

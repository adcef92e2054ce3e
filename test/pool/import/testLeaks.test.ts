import assert from 'node:assert/strict';
import fc from 'fast-check';
import { drawChunk } from '../../../domain/draw/drawChunk.js';
import { NO_FACTS } from '../../../formats/importItem.js';
import { testLeakNotices } from '../../../pool/import/testLeaks.js';
import { indexRow } from '../../domain/sample/rows.js';
import { memoryStore } from '../../support/memoryStore.js';
import { picture, runImport } from '../../support/pictures/pictures.js';

/** Far apart, so that only what a test makes alike is alike. */
const hash = (n: number): string =>
  ((BigInt(n) * 0x9e37_79b9_7f4a_7c15n) & 0xffff_ffff_ffff_ffffn).toString(16).padStart(16, '0');
const row = (n: number, fields: Parameters<typeof indexRow>[1] = {}) =>
  indexRow(n, { split: 'train', vehicleId: null, perceptualHash: hash(n + 1), region: 'exterior', ...fields });
const told = (...args: Parameters<typeof testLeakNotices>) =>
  testLeakNotices(...args).map(({ notice, examples }) => [notice, examples]);

describe('what training images share with the test set', () => {
  const test = row(1, { split: 'test', vehicleId: 'v1', fileName: 'test.jpg' });

  it('is told of images that an import added, by vehicle and by copy', () => {
    const sameVehicle = row(2, { vehicleId: 'v1', fileName: 'other-view.jpg' });
    const copy = row(3, { perceptualHash: test.perceptualHash, fileName: 'saved-again.jpg' });
    const added = new Set([sameVehicle.imageId, copy.imageId]);
    assert.deepEqual(told([test, sameVehicle, copy, row(4)], added), [
      ['training images that show a vehicle of the test set and are never drawn', ['other-view.jpg']],
      ['training images that are copies of test images and are never drawn', ['saved-again.jpg']],
    ]);
  });

  it('is told of images that were there before their test image came', () => {
    const before = row(2, { vehicleId: 'v1', fileName: 'before.jpg' });
    assert.deepEqual(told([test, before], new Set([test.imageId])), [
      [
        'training images that show a vehicle of the test set since this import, and are no longer drawn',
        ['before.jpg'],
      ],
    ]);
    assert.deepEqual(told([test, before], new Set([idOfNothing])), []);
  });

  it('counts exactly the images that draw leaves out for the test set', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ isTest: fc.boolean(), vehicle: fc.nat(5), look: fc.nat(30) }), {
          minLength: 1,
          maxLength: 40,
        }),
        (pictures) => {
          const rows = pictures.map(({ isTest, vehicle, look }, n) =>
            row(n, {
              split: isTest ? 'test' : 'train',
              vehicleId: vehicle === 0 ? null : `v${vehicle}`,
              perceptualHash: hash(look),
            }),
          );
          // One that is always drawn, since drawing nothing is an error.
          const index = [...rows, row(99, { perceptualHash: hash(1_000) })];
          const request = {
            index,
            drawnBefore: new Set<string>(),
            chunkSize: 100,
            seed: 1,
            iteration: 1,
            pool: 'cars',
          };
          const { leftOut } = drawChunk(request);
          const counts = testLeakNotices(index, new Set(index.map(({ imageId }) => imageId)));
          assert.equal(
            counts.reduce((sum, { count }) => sum + count, 0),
            leftOut.testCopy + leftOut.testVehicle,
          );
        },
      ),
    );
  });

  it('stands among the notices of an import', async () => {
    const store = memoryStore();
    const item = (seed: number, split: 'train' | 'test') => ({
      fileName: `${seed}.jpg`,
      image: { kind: 'bytes' as const, read: () => picture(seed) },
      label: async ({ width, height }: { width: number; height: number }) => ({
        pixels: new Uint8Array(width * height).fill(1),
        notes: [],
      }),
      facts: { ...NO_FACTS, vehicleId: 'v1', split },
    });
    const alone = await runImport(store, [item(1, 'test')]);
    assert.deepEqual(alone.notices, []);
    const { notices, added } = await runImport(store, [item(2, 'train')]);
    assert.equal(added, 1);
    assert.deepEqual(notices, [
      {
        notice: 'training images that show a vehicle of the test set and are never drawn',
        count: 1,
        examples: ['2.jpg'],
      },
    ]);
  });
});

const idOfNothing = 'f'.repeat(64);

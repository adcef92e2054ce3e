import assert from 'node:assert/strict';
import fc from 'fast-check';
import { sampleConfigSchema } from '../../../domain/config.js';
import { controlSet, type DrawnIds } from '../../../domain/control/controlSet.js';
import { sampleChunk } from '../../../domain/sample/sampleChunk.js';
import { idOf, skewed, TAXONOMY } from '../sample/rows.js';

const SEED = 3;
/** Chunks of these sizes, without common images. */
const chunksOf = (...sizes: number[]): DrawnIds[] =>
  sizes.map((size, at) => ({
    ...{ iteration: at + 1, seed: SEED },
    imageIds: Array.from({ length: size }, (_, n) => idOf(1_000 * at + n)),
  }));
const all = (): boolean => true;
const flat = (picks: ReadonlyMap<number, readonly string[]>): string[] => [...picks.values()].flat();

/** Chunks, counts of picks per chunk, and unusable images among all. */
const cases = fc
  .array(
    fc.integer({ min: 0, max: 40 }).chain((size) => fc.tuple(fc.constant(size), fc.integer({ min: 0, max: size }))),
    { minLength: 1, maxLength: 5 },
  )
  .chain((sizes) => {
    const chunks = chunksOf(...sizes.map(([size]) => size));
    const ids = chunks.flatMap(({ imageIds }) => imageIds);
    return fc.record({
      chunks: fc.constant(chunks),
      counts: fc.constant(new Map(sizes.map(([, count], at) => [at + 1, count]))),
      gone: fc.subarray(ids).map((some) => new Set(some)),
    });
  });

describe('the random training set of a control', () => {
  it('is as large as the training set of the loop, or has every usable image, each once', () => {
    fc.assert(
      fc.property(cases, ({ chunks, counts, gone }) => {
        const isUsable = (imageId: string): boolean => !gone.has(imageId);
        const picks = flat(controlSet(chunks, counts, isUsable));
        const usable = chunks.flatMap(({ imageIds }) => imageIds).filter(isUsable).length;
        const wanted = [...counts.values()].reduce((sum, count) => sum + count, 0);
        assert.equal(picks.length, Math.min(wanted, usable));
        assert.equal(new Set(picks).size, picks.length);
        assert.ok(picks.every(isUsable));
      }),
    );
  });

  it('has as many images of each chunk as the loop, if the chunk has so many', () => {
    fc.assert(
      fc.property(cases, ({ chunks, counts }) => {
        const picks = controlSet(chunks, counts, all);
        for (const { iteration, imageIds } of chunks) {
          assert.equal(picks.get(iteration)?.length, counts.get(iteration));
          assert.ok(picks.get(iteration)?.every((imageId) => imageIds.includes(imageId)));
        }
      }),
    );
  });

  it('keeps its earlier images in the next iteration', () => {
    const counts = new Map([
      [1, 10],
      [2, 12],
    ]);
    const before = flat(controlSet(chunksOf(30, 30), counts, all));
    const after = new Set(flat(controlSet(chunksOf(30, 30, 30), new Map([...counts, [3, 11]]), all)));
    assert.equal(after.size, 33);
    assert.ok(before.every((imageId) => after.has(imageId)));
  });

  it('puts one image in the place of each that is gone', () => {
    const counts = new Map([[1, 10]]);
    const before = flat(controlSet(chunksOf(30), counts, all));
    const gone = before[4];
    const after = flat(controlSet(chunksOf(30), counts, (imageId) => imageId !== gone));
    assert.equal(after.length, 10);
    assert.equal(before.filter((imageId) => !after.includes(imageId)).join(), gone);
  });

  it('takes what a chunk lacks from the newest chunk with more', () => {
    const counts = new Map([
      [1, 5],
      [2, 5],
      [3, 4],
    ]);
    const picks = controlSet(chunksOf(30, 30, 4), counts, (imageId) => imageId >= idOf(28));
    assert.deepEqual(
      [...picks].map(([, { length }]) => length),
      [2, 8, 4],
    );
  });

  it('is, of the newest chunk, the random pick that the picks are compared with, whatever the scan says', () => {
    const { chunk, scan } = skewed(120);
    const asked = { chunk, trainingSet: [], taxonomy: TAXONOMY, config: sampleConfigSchema.parse({}), budget: 40 };
    const imageIds = chunk.map(({ imageId }) => imageId);
    const ofSet = controlSet([{ iteration: 1, seed: SEED, imageIds }], new Map([[1, 40]]), all);
    const quarantined = scan.map((row, n) => ({ ...row, quarantined: n % 3 === 0 }));
    for (const judged of [scan, quarantined]) {
      const { random } = sampleChunk({ ...asked, scan: judged, seed: SEED, iteration: 1 });
      assert.deepEqual(flat(ofSet).sort(), random);
    }
    assert.ok(quarantined.some((row) => row.quarantined && flat(ofSet).includes(row.imageId)));
  });

  it('does not depend on the order of the images in a chunk', () => {
    const [chunk] = chunksOf(50);
    assert.ok(chunk);
    const counts = new Map([[1, 20]]);
    const reversed = { ...chunk, imageIds: chunk.imageIds.toReversed() };
    assert.deepEqual(controlSet([reversed], counts, all), controlSet([chunk], counts, all));
  });
});

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { PartloopError } from '../../../domain/base/errors.js';
import { drawChunk } from '../../../domain/draw/drawChunk.js';
import { columnsOf, newestOf } from '../../../domain/draw/drawColumns.js';
import { ImageIds } from '../../../domain/draw/imageIds.js';
import { nearDuplicateClusters } from '../../../domain/draw/nearDuplicates.js';
import { whyNotDrawn, whyRowNotDrawn } from '../../../domain/draw/notDrawn.js';
import { splitChoiceSchema } from '../../../domain/scan/judge/split.js';
import { plainClusters, plainDraw, plainReason } from './plainDraw.js';
import { HASH_SPREADS, pictureId, poolOf } from './pools.js';

const isExhausted = (error: unknown) => error instanceof PartloopError && error.code === 'pool-exhausted';

describe('a draw by column', () => {
  for (const [name, spread] of Object.entries(HASH_SPREADS))
    it(`gives the chunk, the groups and the counts of one that compares all rows, of hashes that are ${name}`, () => {
      fc.assert(
        fc.property(
          poolOf(spread, 60),
          fc.constantFrom(...splitChoiceSchema.options),
          fc.integer({ min: 1, max: 50 }),
          fc.integer({ min: 1, max: 5 }),
          fc.array(fc.integer({ min: 0, max: 90 })),
          (index, split, chunkSize, seed, before) => {
            const drawnBefore = new Set(before.map(pictureId));
            const request = { drawnBefore, chunkSize, seed, iteration: 1, pool: 'cars', split };
            const expected = plainDraw({ ...request, index });
            const columns = newestOf(columnsOf(index));
            if (expected.images.length > 0) assert.deepEqual(drawChunk({ ...request, index: columns }), expected);
            else assert.throws(() => drawChunk({ ...request, index: columns }), isExhausted);
          },
        ),
        { numRuns: 100 },
      );
    });

  for (const [name, spread] of Object.entries(HASH_SPREADS))
    it(`leaves out what comparing with every test image leaves out, by row and by column, of hashes that are ${name}`, () => {
      fc.assert(
        fc.property(poolOf(spread, 60), fc.constantFrom(...splitChoiceSchema.options), (index, split) => {
          const expected = index.map((row) => plainReason(row, index, split));
          assert.deepEqual(index.map(whyNotDrawn(index, split)), expected);
          const columns = newestOf(columnsOf(index));
          const ofRow = whyRowNotDrawn(columns, split);
          assert.deepEqual(
            index.map(({ imageId }) => ofRow(columns.ids.find(imageId))),
            expected,
          );
        }),
      );
    });

  it('groups rows in any order as comparing every pair does', () => {
    fc.assert(
      fc.property(poolOf(HASH_SPREADS.around, 40), (rows) => {
        assert.deepEqual([...nearDuplicateClusters(rows)].sort(), [...plainClusters(rows)].sort());
      }),
    );
  });
});

describe('image ids by column', () => {
  it('are in the order of their text, and each is found where it is', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 500 }), { maxLength: 60 }), (numbers) => {
        const texts = numbers.map(pictureId);
        const ids = ImageIds.of(texts);
        const sorted = ids.pick(ids.order());
        assert.deepEqual(
          texts.map((_, at) => sorted.at(at)),
          texts.toSorted(),
        );
        for (const [at, text] of texts.toSorted().entries()) assert.equal(sorted.find(text), at);
        assert.equal(sorted.find(pictureId(501)), -1);
      }),
    );
  });
});

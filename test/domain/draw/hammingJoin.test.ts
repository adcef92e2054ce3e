import assert from 'node:assert/strict';
import fc from 'fast-check';
import { seededRandom } from '../../../domain/base/random.js';
import { DisjointSets } from '../../../domain/draw/disjointSets.js';
import { joinWithin } from '../../../domain/draw/hammingJoin.js';
import { COPY_BITS } from '../../../domain/draw/nearDuplicates.js';
import { hashColumns, hashDistance } from '../../../domain/draw/perceptualHash.js';
import { HASH_SPREADS, hashOf } from './pools.js';

function comparedPairByPair(hashes: readonly string[], bits: number): DisjointSets {
  const sets = new DisjointSets(hashes.length);
  hashes.forEach((one, a) => {
    hashes.forEach((other, b) => {
      if (hashDistance(one, other) <= bits) sets.join(a, b);
    });
  });
  return sets;
}

/** The same sets have the same smallest member for every position. */
const smallest = (sets: DisjointSets, size: number): number[] => {
  const first = new Map<number, number>();
  return Array.from({ length: size }, (_, at) => {
    const root = sets.root(at);
    if (!first.has(root)) first.set(root, at);
    return first.get(root) as number;
  });
};

describe('joining hashes by distance', () => {
  for (const [name, bits] of Object.entries(HASH_SPREADS))
    it(`makes the same sets as comparing every pair, for hashes that are ${name}`, () => {
      fc.assert(
        fc.property(
          fc.array(bits.map(hashOf), { minLength: 1, maxLength: 60 }),
          fc.integer({ min: 0, max: 6 }),
          (hashes, distance) => {
            assert.deepEqual(
              smallest(joinWithin(hashColumns(hashes), distance), hashes.length),
              smallest(comparedPairByPair(hashes, distance), hashes.length),
            );
          },
        ),
        { numRuns: 60 },
      );
    });

  it('makes the same sets of thousands of hashes in one dense place', () => {
    const random = seededRandom('dense');
    const hashes = Array.from({ length: 1_500 }, () =>
      hashOf(Array.from({ length: 64 }, (_, bit) => bit).filter((bit) => random() < (bit % 4 === 0 ? 0.5 : 0.03))),
    );
    const sets = joinWithin(hashColumns(hashes), COPY_BITS);
    assert.deepEqual(smallest(sets, hashes.length), smallest(comparedPairByPair(hashes, COPY_BITS), hashes.length));
  });

  it('joins thousands of hashes in one dense place', () => {
    const hashes = Array.from({ length: 4096 }, (_, n) => n.toString(16).padStart(16, '0'));
    const sets = joinWithin(hashColumns(hashes), 1);
    assert.equal(new Set(hashes.map((_, at) => sets.root(at))).size, 1);
  });
});

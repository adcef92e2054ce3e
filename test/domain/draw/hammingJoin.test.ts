import assert from 'node:assert/strict';
import fc from 'fast-check';
import { DisjointSets } from '../../../domain/draw/disjointSets.js';
import { joinWithin } from '../../../domain/draw/hammingJoin.js';
import { hashDistance } from '../../../domain/draw/perceptualHash.js';

/**
 * Bits that are set in a hash, of all 64 or of a few: many hashes in a dense place, as of pictures with a flat
 * background.
 */
const spread = fc.array(fc.integer({ min: 0, max: 63 }), { maxLength: 12 });
const dense = fc.array(fc.integer({ min: 40, max: 51 }), { maxLength: 6 });
const hashOf = (bits: readonly number[]): string =>
  bits
    .reduce((hash, bit) => hash ^ (1n << BigInt(bit)), 0n)
    .toString(16)
    .padStart(16, '0');

function comparedPairByPair(hashes: readonly string[], bits: number): DisjointSets {
  const sets = new DisjointSets(hashes.length);
  hashes.forEach((one, a) => {
    hashes.forEach((other, b) => {
      if (hashDistance(one, other) <= bits) sets.join(a, b);
    });
  });
  return sets;
}

/** The same sets have the same smallest member forevery position. */
const smallest = (sets: DisjointSets, size: number): number[] => {
  const positions = Array.from({ length: size }, (_, at) => at);
  return positions.map((at) => positions.findIndex((other) => sets.root(other) === sets.root(at)));
};

describe('joining hashes by distance', () => {
  for (const [name, bits] of [
    ['spread', spread],
    ['dense', dense],
  ] as const)
    it(`makes the sets that comparing every pair makes, of hashes that are ${name}`, () => {
      fc.assert(
        fc.property(
          fc.array(bits.map(hashOf), { minLength: 1, maxLength: 60 }),
          fc.integer({ min: 0, max: 6 }),
          (hashes, distance) => {
            assert.deepEqual(
              smallest(joinWithin(hashes, distance), hashes.length),
              smallest(comparedPairByPair(hashes, distance), hashes.length),
            );
          },
        ),
        { numRuns: 60 },
      );
    });

  it('joins thousands of hashes in one dense place', () => {
    const hashes = Array.from({ length: 4096 }, (_, n) => n.toString(16).padStart(16, '0'));
    const sets = joinWithin(hashes, 1);
    assert.equal(new Set(hashes.map((_, at) => sets.root(at))).size, 1);
  });
});

import { createHash } from 'node:crypto';
import fc from 'fast-check';
import type { IndexRow } from '../../../domain/tables.js';
import { indexRow } from '../sample/rows.js';

/**
 * Bits of a hash, of all 64, or of a few as of pictures of one scene: there many are equal or close. A base with flips
 * makes hashes around the distances that count.
 */
export const HASH_SPREADS = {
  spread: fc.array(fc.integer({ min: 0, max: 63 }), { maxLength: 12 }),
  dense: fc.array(fc.integer({ min: 40, max: 51 }), { maxLength: 6 }),
  around: fc
    .tuple(
      fc.constantFrom<number[]>([], [1, 3, 5, 7, 40, 41, 42, 43, 44]),
      fc.array(fc.integer({ min: 0, max: 63 }), { maxLength: 5 }),
    )
    .map(([base, flips]) => [...base, ...flips]),
} as const;

export const hashOf = (bits: readonly number[]): string =>
  bits
    .reduce((hash, bit) => hash ^ (1n << BigInt(bit)), 0n)
    .toString(16)
    .padStart(16, '0');

/** The id of a made-up picture, as spread as those of real ones, but for some that begin alike. */
export const pictureId = (number: number): string => {
  const digest = createHash('sha256').update(`${number}`).digest('hex');
  return number % 5 === 0 ? `${'0'.repeat(16)}${digest.slice(16)}` : digest;
};

/** Index rows of a pool, each image once, with hashes of one spread. */
export const poolOf = (spread: fc.Arbitrary<number[]>, maxLength: number): fc.Arbitrary<IndexRow[]> =>
  fc
    .array(
      fc.record({
        perceptualHash: spread.map(hashOf),
        split: fc.constantFrom('train' as const, 'train' as const, 'train' as const, 'val' as const, 'test' as const),
        vehicleId: fc.option(
          fc.integer({ min: 0, max: 12 }).map((number) => (number === 0 ? '' : `vehicle ${number}`)),
        ),
        region: fc.constantFrom('exterior' as const, 'exterior' as const, null, 'interior' as const),
      }),
      { minLength: 1, maxLength },
    )
    .map((fields) => fields.map((row, number) => indexRow(number, { ...row, imageId: pictureId(number) })));

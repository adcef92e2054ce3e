import assert from 'node:assert/strict';
import fc from 'fast-check';
import { hashColumns, hashDistance } from '../../../domain/draw/perceptualHash.js';
import {
  isSamePicture,
  likeness,
  mostAlike,
  THUMBNAIL_SIDE,
  type Thumbnail,
} from '../../../domain/draw/samePicture.js';
import { SUSPECT_BITS, SuspectIndex } from '../../../domain/draw/suspects.js';

const COUNT = THUMBNAIL_SIDE ** 2;
const thumbnails = fc
  .tuple(fc.integer(), fc.integer({ min: 0, max: 120 }), fc.integer({ min: 0, max: 120 }))
  .map(([seed, darkest, contrast]) => thumbnail(seed, darkest, contrast));

/** Greys at random from `darkest` on. */
function thumbnail(seed: number, darkest = 60, contrast = 120): Thumbnail {
  return Uint8Array.from({ length: COUNT }, (_, at) => {
    const mixed = Math.imul(Math.imul(at + 1, 2_654_435_761) ^ seed, 2_246_822_519);
    return darkest + Math.round((contrast * ((mixed ^ (mixed >>> 15)) & 1_023)) / 1_023);
  });
}

describe('one picture saved twice', () => {
  it('is the same as itself, and likeness has no direction', () => {
    fc.assert(
      fc.property(thumbnails, thumbnails, (a, b) => {
        assert.ok(isSamePicture(a, a));
        assert.equal(isSamePicture(a, b), isSamePicture(b, a));
        assert.equal(likeness(a, b), likeness(b, a));
        assert.ok(Math.abs(likeness(a, b)) <= 1 + 1e-9);
      }),
    );
  });

  it('stays the same if it gets brighter or has more contrast', () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.double({ min: 0.7, max: 1.3, noNaN: true }),
        fc.integer({ min: -20, max: 20 }),
        (seed, gain, offset) => {
          const picture = thumbnail(seed);
          assert.ok(
            isSamePicture(
              picture,
              picture.map((grey) => Math.round(gain * grey + offset)),
            ),
          );
        },
      ),
    );
  });

  it('is not another picture, nor its negative', () => {
    const picture = thumbnail(1);
    assert.equal(isSamePicture(picture, thumbnail(2)), false);
    assert.equal(
      isSamePicture(
        picture,
        picture.map((grey) => 255 - grey),
      ),
      false,
    );
  });

  it('that shows nothing is the same as another that shows nothing and is as bright', () => {
    const flat = (grey: number) => new Uint8Array(COUNT).fill(grey);
    assert.ok(isSamePicture(flat(100), flat(103)));
    assert.equal(isSamePicture(flat(100), flat(140)), false);
    assert.equal(isSamePicture(flat(100), thumbnail(1)), false);
  });

  it('is told from others that are alike: the one most alike is named, and none that cannot be read', () => {
    const picture = thumbnail(1);
    const noisy = (by: number) => picture.map((grey, at) => grey + (at % 2 === 0 ? by : -by));
    assert.equal(mostAlike(picture, [null, thumbnail(2), noisy(4), noisy(2), null]), 3);
    assert.equal(mostAlike(picture, [null, thumbnail(2)]), -1);
    assert.equal(mostAlike(picture, []), -1);
  });

  it('is compared at one size only', () => {
    assert.throws(() => likeness(thumbnail(1), new Uint8Array(64)), RangeError);
  });
});

describe('pictures with a similar hash', () => {
  it('are exactly those that comparing every pair finds', () => {
    const hash = fc.array(fc.constantFrom('0', '1', '3', 'f'), { minLength: 16, maxLength: 16 });
    fc.assert(
      fc.property(fc.array(hash, { maxLength: 30 }), hash, (digits, one) => {
        const hashes = digits.map((each) => each.join(''));
        const { high, low } = hashColumns([one.join('')]);
        assert.deepEqual(
          new SuspectIndex(hashColumns(hashes)).near(high[0] as number, low[0] as number),
          hashes.flatMap((other, at) => (hashDistance(other, one.join('')) <= SUSPECT_BITS ? [at] : [])),
        );
      }),
    );
  });
});

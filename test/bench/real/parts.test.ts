import assert from 'node:assert/strict';
import fc from 'fast-check';
import { omitLike, patternOf } from '../../../bench/detect/real/omissions.js';
import { wrongParts, wrongShare } from '../../../bench/detect/real/parts.js';
import { seededRandom } from '../../../domain/base/random.js';

const SIDE = 40;

/** A label with filled boxes: value, left, top, right, bottom. */
function label(...boxes: [value: number, x0: number, y0: number, x1: number, y1: number][]): Uint8Array {
  const pixels = new Uint8Array(SIDE * SIDE);
  for (const [value, x0, y0, x1, y1] of boxes)
    for (let y = y0; y < y1; y++) pixels.fill(value, y * SIDE + x0, y * SIDE + x1);
  return pixels;
}
const between = (old: Uint8Array, corrected: Uint8Array) =>
  wrongParts(old, corrected, SIDE, SIDE).map(({ kind, value, box }) => ({ kind, value, box }));

const anyLabel = fc
  .array(
    fc.tuple(
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 0, max: 30 }),
      fc.integer({ min: 0, max: 30 }),
      fc.integer({ min: 2, max: 10 }),
    ),
    { maxLength: 6 },
  )
  .map((boxes) => label(...boxes.map(([value, x, y, side]) => [value, x, y, x + side, y + side] as const).map(asBox)));
const asBox = ([value, x0, y0, x1, y1]: readonly [number, number, number, number, number]) =>
  [value, x0, y0, x1, y1] as [number, number, number, number, number];

describe('parts by which an old label is wrong', () => {
  it('are those left out, with the right class and place', () => {
    assert.deepEqual(between(label(), label([3, 10, 20, 20, 30])), [
      { kind: 'missing_part', value: 3, box: [0.25, 0.5, 0.5, 0.75] },
    ]);
  });

  it('are those with another name, told once, and those where no part is', () => {
    const corrected = label([3, 10, 20, 20, 30]);
    assert.deepEqual(between(label([2, 10, 20, 20, 30]), corrected), [
      { kind: 'wrong_class', value: 3, box: [0.25, 0.5, 0.5, 0.75] },
    ]);
    assert.deepEqual(between(corrected, label()), [{ kind: 'extra_part', value: 0, box: [0.25, 0.5, 0.5, 0.75] }]);
  });

  it('are named by their right class if the old label makes two parts of one', () => {
    const old = label([3, 10, 20, 26, 30], [2, 26, 20, 30, 30]);
    assert.deepEqual(between(old, label([3, 10, 20, 30, 30])), [
      { kind: 'wrong_class', value: 3, box: [0.65, 0.5, 0.75, 0.75] },
    ]);
  });

  it('are neither redrawn outlines nor parts below a thousandth of the picture', () => {
    assert.deepEqual(between(label([3, 10, 20, 18, 30]), label([3, 10, 20, 20, 30])), []);
    assert.deepEqual(between(label(), label([3, 10, 20, 11, 21])), []);
  });

  it('are none between equal labels, and cover at most what differs', () => {
    fc.assert(
      fc.property(anyLabel, anyLabel, (old, corrected) => {
        assert.deepEqual(wrongParts(old, old, SIDE, SIDE), []);
        const parts = wrongParts(old, corrected, SIDE, SIDE);
        const share = wrongShare(parts, SIDE, SIDE);
        const differing = old.filter((value, pixel) => value !== corrected[pixel]).length;
        // Up to half of a wrong part may be right.
        assert.ok(share * SIDE * SIDE <= 2 * differing + 1e-9);
        assert.equal(parts.length > 0, share > 0);
      }),
    );
  });
});

describe('labels spoiled as people spoil theirs', () => {
  const corrected = label([1, 0, 0, 10, 10], [2, 20, 0, 30, 10], [2, 20, 20, 30, 30]);
  const photo = { width: SIDE, height: SIDE, clean: corrected };

  it('lose the parts that the known photo lost, together', () => {
    const pattern = patternOf(photo, label([2, 20, 0, 30, 10]));
    assert.deepEqual([...pattern.leftOut].sort(), [
      [1, 1],
      [2, 0.5],
    ]);
    const spoiled = omitLike(photo, [pattern], seededRandom('omit'));
    assert.deepEqual(
      wrongParts(spoiled, corrected, SIDE, SIDE).map(({ kind, value }) => `${kind} ${value}`),
      ['missing_part 1', 'missing_part 2'],
    );
  });

  it('stay as they are if the known photo was right, or has other parts', () => {
    assert.deepEqual(omitLike(photo, [patternOf(photo, corrected)], seededRandom('omit')), corrected);
    const other = { ...photo, clean: label([4, 0, 0, 10, 10]) };
    assert.deepEqual(omitLike(photo, [patternOf(other, label())], seededRandom('omit')), corrected);
  });

  it('follow the photos with the most similar parts', () => {
    const right = patternOf(photo, corrected);
    const unlike = patternOf({ ...photo, clean: label([1, 0, 0, 10, 10], [4, 20, 0, 30, 10]) }, label());
    const patterns = [unlike, ...Array.from({ length: 10 }, () => right), unlike];
    for (let seed = 0; seed < 20; seed++)
      assert.deepEqual(omitLike(photo, patterns, seededRandom('omit', seed)), corrected);
  });
});

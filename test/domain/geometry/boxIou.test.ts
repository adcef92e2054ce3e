import assert from 'node:assert/strict';
import fc from 'fast-check';
import { boxIou } from '../../../domain/geometry/boxIou.js';

type Box = [number, number, number, number];

describe('the IoU of two boxes', () => {
  it('is 1 for equal boxes, 0 for disjoint ones, and the same in both directions', () => {
    const edge = fc.integer({ min: 0, max: 20 });
    const box = fc
      .tuple(edge, edge, edge, edge)
      .map(([a, b, c, d]): Box => [Math.min(a, c), Math.min(b, d), Math.max(a, c) + 1, Math.max(b, d) + 1]);
    fc.assert(
      fc.property(box, box, (a, b) => {
        assert.equal(boxIou(a, a), 1);
        assert.equal(boxIou(a, b), boxIou(b, a));
        assert.ok(boxIou(a, b) >= 0 && boxIou(a, b) <= 1);
      }),
    );
    assert.equal(boxIou([0, 0, 1, 1], [1, 0, 2, 1]), 0);
  });

  it('is 0 if a box is empty', () => {
    assert.equal(boxIou([3, 3, 3, 3], [3, 3, 3, 3]), 0);
    assert.equal(boxIou([1, 1, 1, 2], [0, 0, 4, 4]), 0);
  });

  it('is the intersection divided by the union', () => {
    assert.equal(boxIou([0, 0, 2, 2], [1, 0, 3, 2]), 1 / 3);
  });
});

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { hull, type Point } from '../../../domain/geometry/hull.js';
import { polygonArea } from '../../../domain/geometry/ring.js';

const whole = fc.integer({ min: -50, max: 50 });
const points = fc.array(fc.tuple(whole, whole), { minLength: 1, maxLength: 40 });

/** Twice the signed area of the triangle: above 0 if c lies left of the way from a to b. */
const turn = (a: Point, b: Point, c: Point): number => (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);

describe('the convex hull of points', () => {
  it('turns one way, has input points as corners, and leaves no point outside', () => {
    fc.assert(
      fc.property(points, (given) => {
        const corners = hull(given);
        for (const corner of corners) assert.ok(given.some(([x, y]) => x === corner[0] && y === corner[1]));
        if (corners.length < 3) return;
        corners.forEach((from, at) => {
          const to = corners[(at + 1) % corners.length] as Point;
          assert.ok(turn(from, to, corners[(at + 2) % corners.length] as Point) > 0);
          for (const point of given) assert.ok(turn(from, to, point) >= 0);
        });
      }),
    );
  });

  it('is the same in any order, with repeated points, or without inner points', () => {
    fc.assert(
      fc.property(points, (given) => {
        const corners = hull(given);
        assert.deepEqual(hull([...given].reverse()), corners);
        if (corners.length < 3) return;
        assert.deepEqual(hull([...given, ...given]), corners);
        assert.deepEqual(hull(corners), corners);
      }),
    );
  });

  it('does not change its input, and bounds a square by its corners', () => {
    const given: Point[] = [
      [2, 2],
      [0, 4],
      [4, 4],
      [1, 0],
      [4, 0],
      [0, 0],
    ];
    const before = structuredClone(given);
    assert.equal(polygonArea(hull(given).flat()), 16);
    assert.equal(hull(given).length, 4);
    assert.deepEqual(given, before);
  });
});

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { PartloopError } from '../../../domain/base/errors.js';
import { fillPolygon, polygonRuns, runsArea } from '../../../domain/geometry/polygon.js';

/** The rule by which stored labels were painted, row by row and edge by edge. */
function byTheRule(width: number, height: number, ring: readonly number[]): Uint8Array {
  const raster = new Uint8Array(width * height);
  const points = ring.length >> 1;
  for (let y = 0; y < height; y++) {
    const centre = y + 0.5;
    const crossings: number[] = [];
    for (let point = 0; point < points; point++) {
      const next = (point + 1) % points;
      const y0 = ring[2 * point + 1] as number;
      const y1 = ring[2 * next + 1] as number;
      if (y0 <= centre === y1 <= centre) continue;
      const x0 = ring[2 * point] as number;
      crossings.push(x0 + ((centre - y0) / (y1 - y0)) * ((ring[2 * next] as number) - x0));
    }
    crossings.sort((a, b) => a - b);
    for (let pair = 0; pair + 1 < crossings.length; pair += 2) {
      const from = Math.max(0, Math.ceil((crossings[pair] as number) - 0.5));
      const to = Math.min(width, Math.ceil((crossings[pair + 1] as number) - 0.5));
      if (to > from) raster.fill(1, y * width + from, y * width + to);
    }
  }
  return raster;
}

/** On the grid, on pixel centres, between, far outside, and beside a centre by less than a rounding. */
const coordinate = fc.oneof(
  fc.integer({ min: -3, max: 30 }),
  fc.integer({ min: -6, max: 60 }).map((twice) => twice / 2),
  fc.double({ min: -5, max: 30, noNaN: true }),
  fc.double({ min: -1e6, max: 1e6, noNaN: true }),
  fc.constantFrom(0.5 + 2 ** -53, 0.5 - 2 ** -54, 1e-20, -1e-20, 2 ** -1074, 7.5 + 2 ** -50),
);
const ring = fc.array(coordinate, { minLength: 0, maxLength: 80 });

describe('a polygon', () => {
  it('holds the pixels whose centres lie inside, wherever its corners are', () => {
    fc.assert(
      fc.property(ring, fc.integer({ min: 1, max: 27 }), fc.integer({ min: 1, max: 27 }), (points, width, height) => {
        const raster = new Uint8Array(width * height);
        fillPolygon(raster, width, height, points, 1);
        assert.deepEqual(raster, byTheRule(width, height, points));
        const area = raster.reduce((sum, value) => sum + value, 0);
        assert.equal(runsArea(polygonRuns(points, width, height)), area);
      }),
      { numRuns: 2_000 },
    );
  });

  it('may have 150,000 points, as an outline that nobody simplified', () => {
    const points = 150_000;
    const turn = (point: number): number => (2 * Math.PI * point) / points;
    const circle = Array.from({ length: points }, (_, point) => [
      200 + 100 * Math.cos(turn(point)),
      150 + 100 * Math.sin(turn(point)),
    ]).flat();
    const area = runsArea(polygonRuns(circle, 400, 300));
    assert.ok(Math.abs(area - Math.PI * 100 ** 2) < 40, String(area));
  });

  it('is refused if its edges cross the picture more often than any real outline', () => {
    const zigzag = Array.from({ length: 40_000 }, (_, point) => [point % 7, point % 2 === 0 ? -1 : 1_001]).flat();
    assert.throws(
      () => polygonRuns(zigzag, 8, 1_000),
      (error) => error instanceof PartloopError && error.code === 'data-invalid' && /40000 points/.test(error.message),
    );
  });
});

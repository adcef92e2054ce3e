import assert from 'node:assert/strict';
import fc from 'fast-check';
import { bridgeHoles } from '../../../domain/geometry/bridgeHoles.js';
import { connectedComponents, skipValues } from '../../../domain/geometry/components.js';
import { traceOutlines } from '../../../domain/geometry/contours.js';
import { fillPolygon } from '../../../domain/geometry/polygon.js';
import { polygonArea, simplifyRing } from '../../../domain/geometry/ring.js';

const WIDTH = 11;
const HEIGHT = 9;
const bits = fc.uint8Array({ minLength: WIDTH * HEIGHT, maxLength: WIDTH * HEIGHT, max: 1 });

const outlines = (raster: Uint8Array) => {
  const { ids, list } = connectedComponents(raster, WIDTH, HEIGHT, skipValues(0));
  return traceOutlines(ids, WIDTH, HEIGHT, list.length);
};

describe('outlines along pixel edges', () => {
  it('give every pixel back, even with holes and corners that touch', () => {
    fc.assert(
      fc.property(bits, (raster) => {
        const painted = new Uint8Array(raster.length);
        for (const outline of outlines(raster)) fillPolygon(painted, WIDTH, HEIGHT, bridgeHoles(outline), 1);
        assert.deepEqual(painted, raster);
      }),
      { numRuns: 300 },
    );
  });

  it('have one outer ring per piece and one ring per hole', () => {
    const raster = new Uint8Array(WIDTH * HEIGHT);
    for (let y = 1; y < 8; y++) for (let x = 1; x < 10; x++) raster[y * WIDTH + x] = 1;
    raster[3 * WIDTH + 3] = 0;
    raster[5 * WIDTH + 7] = 0;
    raster[5 * WIDTH + 8] = 0;
    const [outline, ...others] = outlines(raster);
    assert.equal(others.length, 0);
    assert.equal(outline?.outer.length, 8);
    assert.deepEqual(
      outline?.holes.map((hole) => polygonArea(hole)),
      [1, 2],
    );
  });

  it('turn staircases into lines that stay within the tolerance', () => {
    const stairs = Array.from({ length: 20 }, (_, step) => [step, step, step + 1, step]).flat();
    const ring = [...stairs, 20, 20, 0, 20];
    const simple = simplifyRing(ring, 1);
    assert.ok(simple.length <= 8, String(simple.length));
    assert.ok(Math.abs(polygonArea(simple) - polygonArea(ring)) <= 20);
    assert.deepEqual(simplifyRing(ring, 0), ring);
  });

  it('keep a ring that would collapse', () => {
    const thin = [0, 0, 9, 0, 9, 1, 0, 1];
    assert.deepEqual(simplifyRing(thin, 5), thin);
  });
});

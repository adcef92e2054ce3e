import assert from 'node:assert/strict';
import fc from 'fast-check';
import { PartloopError } from '../../../domain/base/errors.js';
import { connectedComponents, skipValues } from '../../../domain/geometry/components.js';
import { inradii, regionDistance } from '../../../domain/geometry/distance.js';
import { cropTopLeft, resizeNearest } from '../../../domain/geometry/resize.js';
import { decodeRle, encodeRle } from '../../../domain/geometry/rle.js';

const raster = fc
  .tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 }))
  .chain(([width, height]) =>
    fc
      .array(fc.integer({ min: 0, max: 2 }), { minLength: width * height, maxLength: width * height })
      .map((values) => ({ width, height, values: Uint8Array.from(values) })),
  );

describe('geometry', () => {
  it('cuts a raster into components that cover every pixel of a kept value once', () => {
    fc.assert(
      fc.property(raster, ({ width, height, values }) => {
        const { ids, list } = connectedComponents(values, width, height, skipValues(0));
        const areas = list.map(() => 0);
        values.forEach((value, pixel) => {
          const id = ids[pixel] as number;
          assert.equal(id === -1, value === 0);
          if (id >= 0) {
            assert.equal(list[id]?.value, value);
            areas[id] = (areas[id] ?? 0) + 1;
          }
        });
        assert.deepEqual(
          areas,
          list.map((component) => component.area),
        );
      }),
    );
  });

  it('finds the same components as a flood fill, in the order of their first pixels', () => {
    fc.assert(
      fc.property(raster, ({ width, height, values }) => {
        const { ids, list } = connectedComponents(values, width, height, skipValues(0));
        const flooded = flood(values, width, height);
        assert.deepEqual(ids, flooded);
        for (const { id, x0, y0, x1, y1, atEdge } of list) {
          const pixels = [...flooded.keys()].filter((pixel) => flooded[pixel] === id);
          const xs = pixels.map((pixel) => pixel % width);
          const ys = pixels.map((pixel) => Math.floor(pixel / width));
          const box = [Math.min(...xs), Math.min(...ys), Math.max(...xs) + 1, Math.max(...ys) + 1];
          assert.deepEqual([x0, y0, x1, y1], box);
          assert.equal(atEdge, x0 === 0 || y0 === 0 || x1 === width || y1 === height);
        }
      }),
    );
  });

  it('gives each pixel the length of the shortest way out of its region', () => {
    fc.assert(
      fc.property(raster, fc.boolean(), ({ width, height, values }, partsOnly) => {
        const distance = regionDistance(values, width, height, partsOnly);
        for (const [pixel, expected] of shortestWays(values, width, height).entries()) {
          if (partsOnly && values[pixel] === 0) assert.equal(distance[pixel], 0);
          else assert.ok(Math.abs((distance[pixel] as number) - expected) < 1e-4, `pixel ${pixel}`);
        }
      }),
    );
  });

  it('joins diagonal neighbours and separates pixels that do not touch', () => {
    const values = Uint8Array.from([1, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 1]);
    assert.deepEqual(
      connectedComponents(values, 4, 3, skipValues(0)).list.map(({ area }) => area),
      [2, 1, 1],
    );
  });

  it('measures the radius of a disc-like part, and does not count the edge of the picture as its edge', () => {
    const values = new Uint8Array(15 * 15);
    for (let y = 3; y < 12; y++) values.fill(1, y * 15 + 3, y * 15 + 12);
    const { ids, list } = connectedComponents(values, 15, 15, skipValues(0));
    assert.equal(inradii(ids, regionDistance(values, 15, 15), list.length)[0], 5);
    assert.equal(regionDistance(new Uint8Array(15).fill(1), 5, 3)[7], 8);
  });

  it('restores every region from its run lengths, whatever touches the edges', () => {
    fc.assert(
      fc.property(raster, ({ width, height, values }) => {
        const inside = (pixel: number): boolean => values[pixel] === 1;
        const counts = encodeRle(inside, { x0: 0, y0: 0, x1: width, y1: height }, width, height);
        assert.equal(
          counts.reduce((sum, run) => sum + run, 0),
          width * height,
        );
        assert.deepEqual(
          decodeRle(counts, width, height),
          values.map((value) => (value === 1 ? 1 : 0)),
        );
        for (const component of connectedComponents(values, width, height, skipValues(0, 2)).list) {
          const { ids } = connectedComponents(values, width, height, skipValues(0, 2));
          const part = encodeRle((pixel) => ids[pixel] === component.id, component, width, height);
          assert.deepEqual(
            decodeRle(part, width, height),
            Uint8Array.from(ids, (id) => (id === component.id ? 1 : 0)),
          );
        }
      }),
    );
  });

  it('refuses run lengths that were made for another size', () => {
    assert.throws(
      () => decodeRle([4, 3], 4, 4),
      (error) => error instanceof PartloopError && error.code === 'data-invalid',
    );
    assert.throws(() => decodeRle([4, 30], 4, 4), PartloopError);
  });

  it('resizes labels without mixing values', () => {
    assert.deepEqual([...resizeNearest(Uint8Array.from([1, 2, 3, 4]), 2, 2, 4, 2)], [1, 1, 2, 2, 3, 3, 4, 4]);
    fc.assert(
      fc.property(raster, ({ width, height, values }) => {
        assert.deepEqual(resizeNearest(values, width, height, width, height), values);
        assert.deepEqual(cropTopLeft(values, width, width, height), values);
      }),
    );
  });
});

const around = (pixel: number, width: number, height: number): number[] => {
  const [x, y] = [pixel % width, Math.floor(pixel / width)];
  return [-1, 0, 1].flatMap((dy) =>
    [-1, 0, 1].flatMap((dx) =>
      (dx !== 0 || dy !== 0) && x + dx >= 0 && x + dx < width && y + dy >= 0 && y + dy < height
        ? [(y + dy) * width + x + dx]
        : [],
    ),
  );
};

function flood(values: Uint8Array, width: number, height: number): Int32Array {
  const ids = new Int32Array(width * height).fill(-1);
  let next = 0;
  for (const start of values.keys()) {
    if (values[start] === 0 || ids[start] !== -1) continue;
    const waiting = [start];
    while (waiting.length > 0) {
      const pixel = waiting.pop() as number;
      if (ids[pixel] !== -1) continue;
      ids[pixel] = next;
      waiting.push(...around(pixel, width, height).filter((other) => values[other] === values[start]));
    }
    next++;
  }
  return ids;
}

/** Steps of 1 and sqrt 2 to the nearest pixel of another value, by relaxation until nothing changes. */
function shortestWays(values: Uint8Array, width: number, height: number): number[] {
  const ways = new Array<number>(values.length).fill(width + height);
  for (let changed = true; changed; ) {
    changed = false;
    for (const pixel of ways.keys()) {
      for (const other of around(pixel, width, height)) {
        const straight = pixel % width === other % width || Math.floor(pixel / width) === Math.floor(other / width);
        const rest = values[other] === values[pixel] ? (ways[other] as number) : 0;
        const way = rest + (straight ? 1 : Math.SQRT2);
        if (way >= (ways[pixel] as number) - 1e-9) continue;
        ways[pixel] = way;
        changed = true;
      }
    }
  }
  return ways;
}

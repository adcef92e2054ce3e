import assert from 'node:assert/strict';
import fc from 'fast-check';
import { PartloopError } from '../../domain/base/errors.js';
import { paintShapes, polygonShape, rleShape, runsShape, type Shape } from '../../formats/paint.js';

const canvas = { width: 12, height: 10 };
const box = (x0: number, y0: number, x1: number, y1: number): number[] => [x0, y0, x1, y0, x1, y1, x0, y1];
const boxShape = (value: number, ...corners: [number, number, number, number]): Shape =>
  polygonShape([box(...corners)], value, canvas);
const count = (raster: Uint8Array, value: number): number => raster.filter((own) => own === value).length;

const corners = fc
  .tuple(fc.nat(11), fc.nat(9), fc.nat(11), fc.nat(9))
  .map(([a, b, c, d]): [number, number, number, number] => [
    Math.min(a, c),
    Math.min(b, d),
    Math.max(a, c) + 1,
    Math.max(b, d) + 1,
  ]);

describe('shapes in one picture', () => {
  it('put the smaller one on top in any order, and of equal areas the later one', () => {
    const wheel = boxShape(4, 4, 4, 6, 6);
    const hood = boxShape(1, 1, 1, 11, 9);
    for (const order of [
      [wheel, hood],
      [hood, wheel],
    ])
      assert.equal(count(paintShapes(order, canvas), 4), 4);
    const twin = boxShape(2, 4, 4, 6, 6);
    assert.equal(count(paintShapes([wheel, twin, hood], canvas), 4), 0);
    assert.equal(count(paintShapes([twin, wheel, hood], canvas), 4), 4);
  });

  it('never vanish below a larger one: of two that overlap, the one that loses more of itself is on top', () => {
    fc.assert(
      fc.property(corners, corners, fc.boolean(), (one, other, turned) => {
        const shapes = [boxShape(1, ...one), boxShape(2, ...other)];
        const raster = paintShapes(turned ? shapes.reverse() : shapes, canvas);
        for (const { value, area } of shapes) {
          const others = shapes.filter((shape) => shape.value !== value);
          if (others.every((shape) => shape.area > area)) assert.equal(count(raster, value), area);
        }
      }),
    );
  });

  it('give the same raster in any order if no two areas are equal', () => {
    fc.assert(
      fc.property(fc.array(corners, { maxLength: 8 }), fc.infiniteStream(fc.nat()), (boxes, keys) => {
        const all = boxes.map((own, at) => boxShape(at + 1, ...own));
        const shapes = all.filter(({ area }, at) => all.findIndex((other) => other.area === area) === at);
        const shuffled = shapes
          .map((shape) => ({ shape, key: keys.next().value }))
          .sort((a, b) => a.key - b.key)
          .map(({ shape }) => shape);
        assert.deepEqual(paintShapes(shuffled, canvas), paintShapes(shapes, canvas));
      }),
    );
  });

  it('have the area of their pixels inside the picture, without counting overlapping rings twice', () => {
    const ring = box(2, 2, 6, 6);
    assert.equal(polygonShape([ring, ring], 1, canvas).area, 16);
    assert.equal(polygonShape([ring, box(4, 2, 8, 6)], 1, canvas).area, 24);
    assert.equal(polygonShape([box(-1_000, -1_000, 2, 3)], 1, canvas).area, 6);
    assert.equal(polygonShape([box(20, 20, 30, 30)], 1, canvas).area, 0);
    assert.equal(polygonShape([], 1, canvas).area, 0);
    assert.equal(rleShape([20, 3, 97], 1, canvas).area, 3);
    assert.equal(runsShape(Int32Array.of(0, 2, 5, 6), 1).area, 3);
  });

  it('are the same as rings, runs or run lengths', () => {
    fc.assert(
      fc.property(corners, ([x0, y0, x1, y1]) => {
        const runs = Array.from({ length: y1 - y0 }, (_, row) => [(y0 + row) * 12 + x0, (y0 + row) * 12 + x1]).flat();
        const columns = Array.from({ length: x1 - x0 }, (_, column) => [
          column === 0 ? x0 * 10 + y0 : 10 - (y1 - y0),
          y1 - y0,
        ]).flat();
        const rest = 120 - columns.reduce((sum, run) => sum + run, 0);
        const drawn = [
          boxShape(3, x0, y0, x1, y1),
          runsShape(Int32Array.from(runs), 3),
          rleShape([...columns, rest], 3, canvas),
        ];
        const [first, ...others] = drawn.map((shape) => paintShapes([shape], canvas));
        for (const other of others) assert.deepEqual(other, first);
        assert.deepEqual(
          drawn.map(({ area }) => area),
          drawn.map(() => (x1 - x0) * (y1 - y0)),
        );
      }),
    );
  });

  it('are refused if they cover the picture more often than real shapes do', () => {
    const large = { width: 10_000, height: 10_000 };
    const all = Array.from({ length: 30 }, () => polygonShape([box(0, 0, 10_000, 10_000)], 1, large));
    assert.throws(
      () => paintShapes(all, large),
      (error) => error instanceof PartloopError && /22|21/.test(error.message),
    );
  });

  it('are refused if run lengths are negative or fit another size', () => {
    assert.throws(() => rleShape([121], 1, canvas), /cover 121 of 120/);
    assert.throws(() => rleShape([130, -10], 1, canvas), /negative/);
    assert.throws(() => rleShape([1, Number.NaN, 119], 1, canvas), PartloopError);
  });
});

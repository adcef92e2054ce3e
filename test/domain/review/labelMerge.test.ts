import assert from 'node:assert/strict';
import fc from 'fast-check';
import { mergeReturned, type ReturnedLabel } from '../../../domain/review/labelMerge.js';

const WIDTH = 12;
const HEIGHT = 10;
const draw = (at: (x: number, y: number) => number): Uint8Array =>
  Uint8Array.from({ length: WIDTH * HEIGHT }, (_, pixel) => at(pixel % WIDTH, Math.floor(pixel / WIDTH)));
const within = (x: number, y: number, x0: number, y0: number, x1: number, y1: number): boolean =>
  x >= x0 && x < x1 && y >= y0 && y < y1;

const merge = (changes: Partial<ReturnedLabel> & Pick<ReturnedLabel, 'original' | 'returned'>) =>
  mergeReturned({
    width: WIDTH,
    height: HEIGHT,
    reference: changes.original,
    polygons: false,
    fillHoles: false,
    expected: () => false,
    ...changes,
  });

/** A part of class 1 with a hole in which, where `inner` is not 0, another part lies. */
const holed = (inner: number): Uint8Array =>
  draw((x, y) => (within(x, y, 5, 4, 7, 6) ? inner : within(x, y, 2, 2, 10, 8) ? 1 : 0));
const filled = draw((x, y) => (within(x, y, 2, 2, 10, 8) ? 1 : 0));

describe('a label that comes back from a tool', () => {
  it('changes nothing if nobody changed it, whatever was exported', () => {
    const raster = fc.uint8Array({ minLength: WIDTH * HEIGHT, maxLength: WIDTH * HEIGHT, max: 4 });
    fc.assert(
      fc.property(raster, fc.boolean(), (original, polygons) => {
        const reference = original.map((value) => (value === 2 ? 2 : 0));
        const { label, changed } = merge({ original, reference, returned: reference, polygons });
        assert.equal(changed, 0);
        assert.deepEqual(label, original);
      }),
    );
  });

  it('is laid over the classes that were not exported', () => {
    const original = draw((x) => (x < 4 ? 1 : x < 8 ? 2 : 255));
    const reference = original.map((value) => (value === 1 ? 1 : 0));
    const { label } = merge({ original, reference, returned: draw((x) => (x < 2 ? 1 : x === 5 ? 3 : 0)) });
    assert.deepEqual(
      label,
      draw((x) => (x < 2 ? 1 : x < 4 ? 0 : x === 5 ? 3 : x < 8 ? 2 : 255)),
    );
  });

  it('loses no hole to a tool that drops holes, and counts their pixels', () => {
    const { label, holes, changed } = merge({ original: holed(0), returned: filled });
    assert.deepEqual([holes, changed], [{ count: 1, pixels: 4 }, 0]);
    assert.deepEqual(label, holed(0));
  });

  it('fills a hole if the scan or the person asks for it', () => {
    const asked = merge({ original: holed(0), returned: filled, expected: ({ x0 }) => x0 === 5 });
    assert.deepEqual([asked.label, asked.changed], [filled, 4]);
    assert.deepEqual(merge({ original: holed(0), returned: filled, fillHoles: true }).label, filled);
  });

  it('never buries a part that the reviewer could not see', () => {
    const reference = holed(3).map((value) => (value === 3 ? 0 : value));
    const { label } = merge({ original: holed(3), reference, returned: filled, fillHoles: true });
    assert.deepEqual(label, holed(3));
  });

  it('does not count edges that polygons moved by a pixel as corrections', () => {
    const moved = draw((x, y) => (within(x, y, 3, 2, 10, 9) ? 1 : 0));
    const { label, edgePixels } = merge({ original: filled, returned: moved, polygons: true });
    assert.deepEqual(label, filled);
    assert.equal(edgePixels, 6 + 7);
    assert.equal(merge({ original: filled, returned: moved }).changed, 13);
  });

  it('removes a whole part, not just its inside, if the polygons lack it', () => {
    const disc = (cx: number, cy: number) => (x: number, y: number) => Math.hypot(x - cx, y - cy) <= 3;
    const [first, second] = [disc(3, 4), disc(9, 5)];
    const original = draw((x, y) => (first(x, y) ? 1 : second(x, y) ? 2 : 0));
    const { label, edgePixels } = merge({
      ...{ original, polygons: true },
      returned: draw((x, y) => (first(x, y) ? 1 : 0)),
    });
    assert.deepEqual(
      label,
      draw((x, y) => (first(x, y) ? 1 : 0)),
    );
    assert.equal(edgePixels, 0);
  });

  it('accepts a part that was drawn as polygons', () => {
    const more = draw((x, y) => (within(x, y, 2, 2, 10, 8) ? 1 : within(x, y, 0, 0, 2, 10) ? 2 : 0));
    assert.deepEqual(merge({ original: filled, returned: more, polygons: true }).label, more);
  });
});

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isWrongLabel } from '../../../domain/images/wrongLabel.js';

const SIDE = 100;
/** A label of a large part of class 1 and a small one of class 2, with `box` painted over it. */
function label(value = 0, [x0, y0, x1, y1] = [0, 0, 0, 0]): Uint8Array {
  return Uint8Array.from({ length: SIDE * SIDE }, (_, pixel) => {
    const [x, y] = [pixel % SIDE, Math.floor(pixel / SIDE)];
    if (x >= x0 && x < x1 && y >= y0 && y < y1) return value;
    if (x >= 10 && x < 70 && y >= 10 && y < 70) return 1;
    return x >= 80 && x < 84 && y >= 80 && y < 84 ? 2 : 0;
  });
}

describe('a corrected label', () => {
  it('shows that the earlier label was wrong if a region of a thousandth of the image changed class', () => {
    assert.ok(isWrongLabel(label(), label(3, [20, 20, 25, 22]), SIDE, SIDE));
    assert.ok(isWrongLabel(label(3, [20, 20, 25, 22]), label(), SIDE, SIDE));
  });

  it('shows it if a third of a small part changed, or a small part is new', () => {
    assert.ok(isWrongLabel(label(), label(3, [80, 80, 82, 83]), SIDE, SIDE));
    assert.ok(isWrongLabel(label(), label(3, [90, 20, 92, 22]), SIDE, SIDE));
    assert.ok(isWrongLabel(label(3, [90, 20, 92, 22]), label(), SIDE, SIDE));
  });

  it('does not show it if somebody only retouched edges', () => {
    const retouched = label();
    for (let x = 12; x < 68; x += 3) retouched[10 * SIDE + x] = 0;
    assert.ok(!isWrongLabel(label(), retouched, SIDE, SIDE));
  });

  it('does not show it if nothing changed', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 64, maxLength: 64, max: 3 }), (values) => {
        assert.ok(!isWrongLabel(values, Uint8Array.from(values), 8, 8));
      }),
    );
  });
});

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { poolOf } from '../../../../bench/experiment/pools.js';
import { perfectCase } from '../../../../bench/tags/command.js';
import { inferTags } from '../../../../domain/scan/image/inferTags.js';
import { preparePicture } from '../../../../domain/scan/image/picture.js';
import { carParts34 } from '../../../../domain/taxonomies/carParts34.js';

const SIZE = 40;
/** Pixels of the rim, of which a twentieth shows the car in a zoomed picture. */
const RIM = 4 * SIZE;

/** Whether a picture is called zoomed in which the car is a rectangle, ends exclusive. */
function isZoomed({ x0, y0, x1, y1 }: { x0: number; y0: number; x1: number; y1: number }): boolean | null | undefined {
  const mask = new Uint8Array(SIZE * SIZE);
  for (let y = y0; y < y1; y++) mask.fill(1, y * SIZE + x0, y * SIZE + x1);
  const sure = new Uint8Array(SIZE * SIZE).fill(255);
  const input = { size: SIZE, validWidth: SIZE, validHeight: SIZE, label: mask, mask, pMask: sure, pLabel: sure };
  return inferTags(preparePicture(input, carParts34, {})).zoomed;
}

describe('tags inferred from a prediction', () => {
  it('call a picture zoomed if the car is at its rim, and never if it keeps away from it', () => {
    const start = fc.integer({ min: 1, max: SIZE - 3 });
    const length = fc.integer({ min: 1, max: SIZE });
    fc.assert(
      fc.property(start, start, length, length, (x0, y0, width, height) => {
        const inside = { x0, y0, x1: Math.min(SIZE - 1, x0 + width), y1: Math.min(SIZE - 1, y0 + height) };
        assert.equal(isZoomed(inside), false);
        assert.equal(isZoomed({ ...inside, y1: SIZE }), inside.x1 - x0 >= RIM / 20);
      }),
    );
  });

  it('say of nearly every rendered car whether its picture is zoomed', async () => {
    const { test, set } = await poolOf('cars', { seed: 304, size: 128, images: 0, tests: 39, wrong: 0 });
    const cases = test.map((image) => perfectCase(image, set.taxonomy));
    assert.ok(cases.some(({ truth }) => truth.zoomed === true));
    assert.ok(cases.filter(({ truth, inferred }) => truth.zoomed === inferred.zoomed).length >= cases.length - 2);
  });
});

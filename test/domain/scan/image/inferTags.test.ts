import assert from 'node:assert/strict';
import fc from 'fast-check';
import { poolOf } from '../../../../bench/experiment/pools.js';
import { perfectCase } from '../../../../bench/tags/command.js';
import { cautiousTags, inferTags } from '../../../../domain/scan/image/inferTags.js';
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

  it('tell the angle of a whole car within 15 degrees, and none of a zoomed one', async () => {
    const { test, set } = await poolOf('cars', { seed: 305, size: 128, images: 0, tests: 78, wrong: 0 });
    const cases = test.map((image) => perfectCase(image, set.taxonomy));
    const told = cases.filter(({ inferred }) => inferred.angle !== undefined);
    assert.ok(told.every(({ inferred }) => inferred.zoomed === false));
    assert.equal(told.length, cases.filter(({ inferred }) => inferred.zoomed === false).length);
    const off = told.map(({ truth, inferred }) => Math.abs(Number(truth.angle) - Number(inferred.angle)));
    assert.ok(off.filter((degrees) => degrees <= 15).length >= told.length - 1, off.join(' '));
  });

  it('never have an angle for rules, which only a given one may serve', () => {
    const mask = new Uint8Array(SIZE * SIZE);
    for (let y = 5; y < 30; y++) mask.fill(1 + (y % 24), y * SIZE + 5, y * SIZE + 30);
    const sure = new Uint8Array(SIZE * SIZE).fill(255);
    const input = { size: SIZE, validWidth: SIZE, validHeight: SIZE, label: mask, mask, pMask: sure, pLabel: sure };
    const picture = preparePicture(input, carParts34, {});
    const inferred = inferTags(picture);
    assert.notEqual(inferred.angle, undefined);
    assert.equal('angle' in cautiousTags(picture, inferred), false);
  });
});

import assert from 'node:assert/strict';
import { seededRandom } from '../../../../domain/base/random.js';
import { growParts, polygoniseParts } from '../../../../domain/scan/image/injectWhole.js';
import { type OutlineFit, outlineFit } from '../../../../domain/scan/image/outline.js';
import { type LabelView, preparePicture, viewLabel } from '../../../../domain/scan/image/picture.js';
import { IGNORE_INDEX } from '../../../../domain/taxonomy.js';
import { classValue, drawCar, fill, scheme, seen } from '../scene.js';

const SIZE = 128;
const car = drawCar(SIZE);

const view = (label: Uint8Array, mask: Uint8Array = car): LabelView =>
  viewLabel(preparePicture(seen(label, mask, SIZE), scheme, {}), label);

function fit(label: Uint8Array, mask: Uint8Array = car): OutlineFit {
  const found = outlineFit(view(label, mask), new Uint8Array(SIZE * SIZE));
  assert.ok(found !== null);
  return found;
}

/** A roof with a bite taken out of one corner, as many parts have. */
function bitten(): Uint8Array {
  const label = new Uint8Array(SIZE * SIZE);
  fill(label, SIZE, [20, 20, 100, 100], classValue('roof'));
  fill(label, SIZE, [70, 20, 100, 50], 0);
  return label;
}

describe('the fit of a label to the outlines of the prediction', () => {
  it('has no bias if both are the same', () => {
    const { band, core, boundaryBias, fullness, areaBias } = fit(car);
    assert.deepEqual(
      { band, core, boundaryBias, fullness, areaBias },
      { band: 0, core: 0, boundaryBias: 0, fullness: 0, areaBias: 0 },
    );
  });

  it('is positive if parts are drawn too wide, and negative if they are drawn too narrow', () => {
    const wide = growParts(view(car), seededRandom('wide'));
    assert.ok(fit(wide).boundaryBias > 0.05);
    assert.ok(fit(wide).areaBias > 0);
    assert.ok(fit(car, wide).boundaryBias < -0.05);
  });

  it('counts corners that were cut off, as a share of the hull that the model sees', () => {
    const label = bitten();
    fill(label, SIZE, [70, 20, 100, 50], classValue('roof'));
    const whole = 80 * 80;
    const seenHull = whole - (30 * 30) / 2;
    assert.ok(Math.abs(fit(label, bitten()).fullness - (1 - (whole - 900) / seenHull)) < 1e-9);
    assert.ok(Math.abs(fit(bitten(), label).fullness + fit(label, bitten()).fullness) < 1e-9);
  });
});

describe('labels drawn as hasty polygons', () => {
  const label = Uint8Array.from(bitten());
  fill(label, SIZE, [40, 60, 60, 90], classValue('hood'));
  fill(label, SIZE, [104, 10, 112, 30], IGNORE_INDEX);

  it('keep every part in its place and every ignored pixel, and always differ from the label itself', () => {
    for (let seed = 0; seed < 20; seed++) {
      const drawn = polygoniseParts(view(label), seededRandom('hasty', seed));
      assert.notDeepEqual(drawn, label);
      label.forEach((value, pixel) => {
        if (value === IGNORE_INDEX) assert.equal(drawn[pixel], IGNORE_INDEX);
      });
      const roof = classValue('roof');
      let both = 0;
      let either = 0;
      label.forEach((value, pixel) => {
        const [given, now] = [
          value !== 0 && value !== IGNORE_INDEX,
          drawn[pixel] === roof || drawn[pixel] === classValue('hood'),
        ];
        if (given && now) both++;
        if (given || now) either++;
      });
      assert.ok(both / either > 0.6, `${seed}: ${both / either}`);
    }
  });

  it('are too wide on average, and cut corners off', () => {
    const fits = Array.from({ length: 20 }, (_, seed) =>
      fit(polygoniseParts(view(bitten()), seededRandom('full', seed)), bitten()),
    );
    const mean = (of: (found: OutlineFit) => number): number => fits.reduce((sum, found) => sum + of(found), 0) / 20;
    assert.ok(mean(({ boundaryBias }) => boundaryBias) > 0.05);
    assert.ok(mean(({ fullness }) => fullness) > 0);
  });

  it('are the same for the same seed', () => {
    const draw = (): Uint8Array => polygoniseParts(view(label), seededRandom('same'));
    assert.deepEqual(draw(), draw());
  });
});

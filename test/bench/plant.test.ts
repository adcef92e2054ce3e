import assert from 'node:assert/strict';
import { plantErrors, shareCounts, subsetOfPlanted } from '../../bench/detect/plant.js';
import { SPOIL_SHARES } from '../../demo/spoil/truth.js';
import { seededRandom } from '../../domain/base/random.js';
import { drawCar, scheme } from '../domain/scan/scene.js';

const SIZE = 128;
const PLAN = { missing_part: 4, wrong_class: 4, swapped: 4, mirrored: 3, shifted: 3, bad_outline: 2 };

describe('planting errors for a measurement', () => {
  const random = seededRandom('plant', 'cars');
  const images = Array.from({ length: 40 }, () => ({ clean: drawCar(SIZE, random), width: SIZE, height: SIZE }));
  const planted = plantErrors(images, PLAN, scheme, SIZE, seededRandom('plant'));

  it('spoils the planned number of labels per kind, and is the same for the same seed', () => {
    for (const [kind, count] of Object.entries(PLAN))
      assert.equal(planted.filter((label) => label?.kind === kind).length, count, kind);
    assert.deepEqual(plantErrors(images, PLAN, scheme, SIZE, seededRandom('plant')), planted);
  });

  it('knows the pixels of every single error, which all differ from the clean label', () => {
    planted.forEach((label, index) => {
      const clean = images[index]?.clean;
      for (const { region } of label?.errors ?? []) {
        if (region === null) continue;
        assert.ok(region.size > 0);
        for (const pixel of region) assert.notEqual(label?.given[pixel], clean?.[pixel]);
      }
    });
  });

  it('keeps a share of them, with kinds in the wanted proportions as far as there are enough', () => {
    const kept = subsetOfPlanted(planted, 0.25, SPOIL_SHARES, seededRandom('subset'));
    assert.equal(kept.size, 10);
    assert.ok([...kept].every((index) => planted[index] !== null));
    assert.ok([...kept].filter((index) => planted[index]?.kind === 'missing_part').length >= 4);
  });

  it('splits a total by shares to within one', () => {
    const counts = shareCounts(100, SPOIL_SHARES);
    assert.deepEqual(Object.values(counts), [60, 15, 10, 5, 5, 5]);
    assert.equal(
      Object.values(shareCounts(37, SPOIL_SHARES)).reduce((a, b) => a + b, 0),
      37,
    );
  });
});

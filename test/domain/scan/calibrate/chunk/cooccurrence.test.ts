import assert from 'node:assert/strict';
import { learnPlausibility } from '../../../../../domain/scan/calibrate/chunk/cooccurrence.js';
import { learnExpectedAgreement } from '../../../../../domain/scan/calibrate/chunk/expectedAgreement.js';
import { analyseImage, type ReduceEntry } from '../../../../../domain/scan/index.js';
import { NO_TAGS, type Tags } from '../../../../../domain/tags.js';
import { classValue, drawCar, replaced, scheme, seen } from '../../scene.js';

const SIZE = 48;
const car = drawCar(SIZE);

function entry(index: number, label: Uint8Array, tags: Tags = NO_TAGS): ReduceEntry {
  return {
    ...{ imageId: `${index}`, fileName: `${index}.jpg`, labelSha256: 'b'.repeat(64), model: 'm', tags },
    analysis: analyseImage(seen(label, car, SIZE), scheme, tags),
  };
}

describe('the knowledge of a scan beyond one image', () => {
  it('holds which parts are labelled together: a part that never is fits worse than one that always is', () => {
    const entries = Array.from({ length: 30 }, (_, index) => entry(index, car));
    const plausibility = learnPlausibility(entries, scheme.classes.length);
    const present = entries[0]?.analysis?.predictedClasses ?? [];
    const [door, mirrored] = [classValue('left_front_door'), classValue('right_front_door')];
    assert.ok(plausibility(door, present, mirrored) > -0.3);
    assert.ok(plausibility(mirrored, present, door) < -3);
    for (const value of [door, mirrored]) assert.ok(plausibility(value, [], value) <= 0);
  });

  it('holds how much label and prediction agree in similar pictures, even if a few labels are wrong', () => {
    const poor = replaced(replaced(car, classValue('left_front_door'), 0), classValue('quarter'), 0);
    const entries = Array.from({ length: 60 }, (_, index) => {
      const zoomed = index < 20;
      return entry(index, zoomed || index % 10 === 0 ? poor : car, { ...NO_TAGS, zoomed });
    });
    const expected = learnExpectedAgreement(entries);
    const [zoomed, usual] = [entries[0] as ReduceEntry, entries[25] as ReduceEntry];
    assert.ok(expected(zoomed) < expected(usual) - 0.1);
    assert.ok(expected(usual) > 0.9);
  });
});

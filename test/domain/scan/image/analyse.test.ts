import assert from 'node:assert/strict';
import { seededRandom } from '../../../../domain/base/random.js';
import { decodeRle } from '../../../../domain/geometry/rle.js';
import { analyseImage, analyseWithInjection, type Candidate } from '../../../../domain/scan/index.js';
import { NO_TAGS } from '../../../../domain/tags.js';
import { classValue, drawCar, fill, moved, replaced, scheme, seen } from '../scene.js';

const SIZE = 128;
const car = drawCar(SIZE);

function candidates(label: Uint8Array, mask: Uint8Array = car, tags = NO_TAGS): Candidate[] {
  return analyseImage(seen(label, mask, SIZE), scheme, tags).candidates.filter(speaks);
}

/** Readings of the whole label are always there; those that fit no better than the label as it is say nothing. */
function speaks({ kind, suggestedClassId, classId, features }: Candidate): boolean {
  if (kind === 'bad_outline' && suggestedClassId === null && classId === 0) return features.gain >= 0.25;
  return (kind !== 'mirrored' && kind !== 'shifted') || features.gain >= 0.05;
}

function only(found: Candidate[]): Candidate {
  assert.equal(
    found.length,
    1,
    JSON.stringify(found.map(({ kind, classId, suggestedClassId }) => ({ kind, classId, suggestedClassId }))),
  );
  return found[0] as Candidate;
}

describe('the analysis of one label', () => {
  it('says nothing if label and prediction agree', () => {
    assert.deepEqual(candidates(car), []);
  });

  it('says nothing about outlines that are a pixel or two off', () => {
    assert.deepEqual(candidates(moved(car, SIZE, 1, 1)), []);
  });

  it('names each missing part, with the mask to add', () => {
    for (const name of ['left_front_door', 'left_mirror', 'taillight', 'roof', 'bumper']) {
      const value = classValue(name);
      const found = only(candidates(replaced(car, value, 0)));
      assert.equal(found.kind, 'missing_part', name);
      assert.equal(found.suggestedClassId, value);
      assert.equal(found.features.coverage, 1);
      assert.equal(found.features.absent, 1);
      assert.deepEqual(
        decodeRle(found.proposal ?? [], SIZE, SIZE),
        car.map((pixel) => (pixel === value ? 1 : 0)),
      );
    }
  });

  it('recognises an enclosed missing part by the labelled parts around it', () => {
    const inner = only(candidates(replaced(car, classValue('left_rear_door'), 0)));
    const outer = only(candidates(replaced(car, classValue('taillight'), 0)));
    assert.ok(inner.features.enclosure > outer.features.enclosure);
  });

  it('names a part that has the label of another', () => {
    const found = only(
      candidates(replaced(car, classValue('hood'), classValue('taillight'))).filter(({ kind }) => kind !== 'too_many'),
    );
    assert.deepEqual(
      [found.kind, found.classId, found.suggestedClassId],
      ['wrong_class', classValue('taillight'), classValue('hood')],
    );
  });

  it('calls a part swapped that has the label of its mirror image, and a whole car of such parts mirrored', () => {
    const one = replaced(car, classValue('left_rear_door'), classValue('right_rear_door'));
    assert.equal(only(candidates(one)).kind, 'swapped');
    const all = ['fender', 'front_door', 'rear_door'].reduce(
      (label, part) => replaced(label, classValue(`left_${part}`), classValue(`right_${part}`)),
      car,
    );
    assert.ok(candidates(all).some(({ kind, proposal }) => kind === 'mirrored' && proposal === null));
    const flipped = car.map((_, pixel) => car[Math.floor(pixel / SIZE) * SIZE + (SIZE - 1 - (pixel % SIZE))] as number);
    assert.ok(candidates(flipped).some(({ kind }) => kind === 'mirrored'));
  });

  it('names a labelled part that does not exist', () => {
    const label = Uint8Array.from(car);
    fill(label, SIZE, [90, 100, 110, 120], classValue('hood'));
    assert.deepEqual(
      candidates(label).map(({ kind }) => kind),
      ['extra_part', 'too_many'],
    );
  });

  it('names a label drawn beside the car, and a single part drawn beside its place', () => {
    assert.ok(candidates(moved(car, SIZE, 9, 5)).some(({ kind }) => kind === 'shifted'));
    const part = replaced(car, classValue('wheel'), 0);
    const wheel = moved(
      car.map((value) => (value === classValue('wheel') ? value : 0)),
      SIZE,
      6,
      6,
    );
    const label = part.map((value, pixel) => (wheel[pixel] === 0 ? value : (wheel[pixel] as number)));
    assert.ok(candidates(label).some(({ kind, classId }) => kind === 'shifted' && classId === classValue('wheel')));
  });

  it('names two parts that are labelled as one', () => {
    const found = candidates(replaced(car, classValue('left_mirror'), classValue('left_front_window')));
    assert.ok(
      found.some(
        ({ kind, suggestedClassId }) =>
          (kind === 'wrong_class' || kind === 'merged_or_split') && suggestedClassId === classValue('left_mirror'),
      ),
      JSON.stringify(found.map((f) => f.kind)),
    );
  });

  it('names an empty label of a car, but not of a picture without one', () => {
    assert.ok(candidates(new Uint8Array(SIZE * SIZE)).some(({ kind }) => kind === 'empty_label'));
    assert.deepEqual(candidates(new Uint8Array(SIZE * SIZE), new Uint8Array(SIZE * SIZE)), []);
  });

  it('names a hole in the label even if the model sees no part there either', () => {
    const label = Uint8Array.from(car);
    fill(label, SIZE, [40, 66, 54, 80], 0);
    assert.deepEqual(
      candidates(label, label).map(({ kind, rule }) => [kind, rule]),
      [['hole', true]],
    );
  });

  it('checks the label against the taxonomy: too many of a part, and a part hidden from the tagged angle', () => {
    const label = Uint8Array.from(car);
    fill(label, SIZE, [100, 100, 115, 115], classValue('roof'));
    assert.ok(
      candidates(label, label).some(({ kind, classId }) => kind === 'too_many' && classId === classValue('roof')),
    );
    const behind = candidates(car, car, { ...NO_TAGS, angle: 180 });
    assert.deepEqual(
      behind.map(({ kind, classId }) => [kind, classId]),
      [['impossible_view', classValue('bumper')]],
    );
    assert.deepEqual(candidates(car, car, { ...NO_TAGS, angle: 90 }), []);
  });

  it('looks only at the picture, never at the padding or ignored pixels', () => {
    const label = Uint8Array.from(replaced(car, classValue('roof'), 255));
    const mask = Uint8Array.from(car);
    for (let pixel = SIZE * 120; pixel < SIZE * SIZE; pixel++) {
      label[pixel] = 255;
      mask[pixel] = classValue('hood');
    }
    const analysis = analyseImage({ ...seen(label, mask, SIZE), validHeight: 120 }, scheme, NO_TAGS);
    assert.deepEqual(analysis.candidates.filter(speaks), []);
    assert.equal(analysis.height, 120);
  });

  it('stays small and survives JSON', () => {
    const analysis = analyseWithInjection(
      seen(replaced(car, classValue('hood'), 0), car, SIZE),
      scheme,
      NO_TAGS,
      seededRandom('json'),
    );
    assert.deepEqual(JSON.parse(JSON.stringify(analysis)), analysis);
    assert.ok(JSON.stringify(analysis).length < 20_000);
  });

  it('reads the side of the car from the prediction alone', () => {
    const analysis = analyseImage(seen(new Uint8Array(SIZE * SIZE), car, SIZE), scheme, NO_TAGS);
    assert.equal(analysis.inferredTags.orientation, 'left');
    assert.equal(analysis.inferredTags.zoomed, false);
  });

  it('injects the same errors for the same seed, and finds nearly all of them if the model is right', () => {
    const runs = Array.from({ length: 40 }, (_, index) =>
      analyseWithInjection(seen(car, car, SIZE), scheme, NO_TAGS, seededRandom('inject', index)),
    );
    const copies = runs.flatMap(({ injected }) => injected);
    assert.equal(copies.length, 120);
    assert.ok(copies.filter(({ candidates: found }) => found.some(({ wrong }) => wrong)).length >= 114);
    assert.deepEqual(runs[3], analyseWithInjection(seen(car, car, SIZE), scheme, NO_TAGS, seededRandom('inject', 3)));
  });
});

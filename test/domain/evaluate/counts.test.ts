import assert from 'node:assert/strict';
import fc from 'fast-check';
import { countBoundary } from '../../../domain/evaluate/boundary.js';
import { ClassSums, countConfusion } from '../../../domain/evaluate/confusion.js';
import { evaluationSummarySchema, summariseEvaluation } from '../../../domain/evaluate/summary.js';
import type { EvaluationRow } from '../../../domain/tables.js';
import { NO_TAGS } from '../../../domain/tags.js';
import { idOf, TAXONOMY } from '../sample/rows.js';

const CLASSES = 3;
const LABELS = [1, 2, 3];
const pixelsOf = (...values: number[]): Uint8Array => Uint8Array.from(values);
const value = fc.constantFrom(0, 1, 2, 3);

/** Given (255 is possible) and predicted values of a small picture. */
const pair = fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 })).chain(([width, height]) =>
  fc.record({
    width: fc.constant(width),
    height: fc.constant(height),
    given: fc
      .array(fc.oneof(value, fc.constant(255)), { minLength: width * height, maxLength: width * height })
      .map((values) => Uint8Array.from(values)),
    predicted: fc
      .array(value, { minLength: width * height, maxLength: width * height })
      .map((values) => Uint8Array.from(values)),
  }),
);

describe('confusion counts', () => {
  it('hold given label, prediction and pixels, and leave out ignored pixels', () => {
    const given = pixelsOf(0, 1, 1, 2, 255, 1);
    const predicted = pixelsOf(0, 1, 2, 2, 3, 1);
    assert.deepEqual(countConfusion(given, predicted), [0, 0, 1, 1, 1, 2, 1, 2, 1, 2, 2, 1]);
  });

  it('give the same IoU as a calculation by hand', () => {
    const sums = new ClassSums().add([0, 0, 10, 1, 1, 6, 1, 2, 2, 2, 2, 4, 0, 3, 5]);
    assert.equal(sums.iou(1), 6 / 8);
    assert.equal(sums.iou(2), 4 / 6);
    assert.equal(sums.iou(3), 0);
    // Class 3 is predicted only: it counts per image, and not in the whole-set headline.
    assert.equal(sums.miou(LABELS), (6 / 8 + 4 / 6) / 2);
    assert.equal(sums.miouOfPresent(LABELS), (6 / 8 + 4 / 6 + 0) / 3);
    assert.equal(new ClassSums().miou(LABELS), null);
    assert.equal(new ClassSums().miouOfPresent(LABELS), 1);
  });

  it('hold every pixel once, except ignored ones', () => {
    fc.assert(
      fc.property(pair, ({ given, predicted }) => {
        const triples = countConfusion(given, predicted);
        const total = triples.reduce((sum, count, at) => (at % 3 === 2 ? sum + count : sum), 0);
        assert.equal(total, given.filter((label) => label !== 255).length);
      }),
    );
  });

  it('give an IoU of 1 only if label and prediction agree', () => {
    fc.assert(
      fc.property(pair, ({ given, predicted }) => {
        const iou = new ClassSums().add(countConfusion(given, predicted)).miouOfPresent(LABELS);
        assert.ok(iou >= 0 && iou <= 1);
        const agree = given.every((label, at) => label === 255 || label === predicted[at]);
        assert.equal(iou === 1, agree);
      }),
    );
  });
});

describe('boundary counts', () => {
  it('match a straight edge that is one pixel off', () => {
    // 10×1, band of one pixel: the label ends after column 4, the prediction after column 5.
    const given = pixelsOf(1, 1, 1, 1, 1, 2, 2, 2, 2, 2);
    const predicted = pixelsOf(1, 1, 1, 1, 1, 1, 2, 2, 2, 2);
    // Bands: class 1 {4} and {5}, class 2 {5} and {6}: nothing in common.
    assert.deepEqual(countBoundary(given, predicted, 10, 1, CLASSES), [1, 0, 2, 2, 0, 2]);
    assert.deepEqual(countBoundary(given, given, 10, 1, CLASSES), [1, 1, 1, 2, 1, 1]);
  });

  it('do not count the edge of the picture as a boundary', () => {
    const full = new Uint8Array(36).fill(1);
    assert.deepEqual(countBoundary(full, full, 6, 6, CLASSES), []);
  });

  it('have an intersection as large as the union if label and prediction agree, and never a larger one', () => {
    fc.assert(
      fc.property(pair, ({ given, predicted, width, height }) => {
        const counts = countBoundary(given, predicted, width, height, CLASSES);
        for (let at = 0; at < counts.length; at += 3) {
          assert.ok((counts[at + 1] ?? 0) <= (counts[at + 2] ?? 0));
          assert.ok((counts[at] ?? 0) >= 1 && (counts[at] ?? 0) <= CLASSES);
        }
        const same = countBoundary(predicted, predicted, width, height, CLASSES);
        for (let at = 0; at < same.length; at += 3) assert.equal(same[at + 1], same[at + 2]);
      }),
    );
  });
});

describe('the summary of an evaluation', () => {
  const row = (n: number, fields: Partial<EvaluationRow> = {}): EvaluationRow => ({
    imageId: idOf(n),
    fileName: `car-${n}.jpg`,
    vehicleId: null,
    ...NO_TAGS,
    confusion: [1, 1, 10],
    boundary: [1, 4, 8],
    imageMiou: 1,
    ...fields,
  });

  it('is the sum of the counts of its images', () => {
    const rows = [
      row(1, { confusion: [1, 1, 30, 3, 0, 10], boundary: [1, 4, 8, 3, 0, 6], imageMiou: 0.5, black: true }),
      row(2, { confusion: [1, 1, 10, 1, 2, 10], boundary: [1, 2, 4], imageMiou: 0.25, black: false }),
    ];
    const summary = evaluationSummarySchema.parse(summariseEvaluation(rows, TAXONOMY));
    // hood 40 of 50, mirror 0 of 10; door has no ground truth and is left out.
    assert.equal(summary.miou, (0.8 + 0) / 2);
    assert.equal(summary.majorMiou, 0.8);
    assert.equal(summary.minorMiou, 0);
    assert.equal(summary.imageMiou, 0.375);
    assert.equal(summary.boundaryIou, (0.5 + 0) / 2);
    assert.deepEqual(
      summary.classes.map(({ name, iou, recall, pixels }) => [name, iou, recall, pixels]),
      [
        ['hood', 0.8, 0.8, 50],
        ['door', null, null, 0],
        ['mirror', 0, 0, 10],
      ],
    );
    assert.deepEqual(
      summary.worst.map(({ imageId }) => imageId),
      [idOf(2), idOf(1)],
    );
    assert.deepEqual(summary.slices, [
      { name: 'black=false', images: 1, miou: 0.5 },
      { name: 'black=true', images: 1, miou: 0.5 },
    ]);
  });

  it('names the weak spots that occur, and no others', () => {
    const slices = (fields: Partial<EvaluationRow>) =>
      summariseEvaluation([row(1, fields)], TAXONOMY).slices.map(({ name }) => name);
    assert.deepEqual(slices({}), []);
    assert.ok(slices({ black: true, reflection: true }).includes('black and reflective'));
    assert.ok(!slices({ black: true, reflection: false }).includes('black and reflective'));
    assert.ok(slices({ zoomed: true }).includes('zoomed'));
    assert.ok(slices({ damage: '2' }).includes('damaged'));
  });

  it('is empty for no images', () => {
    const summary = evaluationSummarySchema.parse(summariseEvaluation([], TAXONOMY));
    assert.deepEqual([summary.images, summary.miou, summary.imageMiou, summary.worst.length], [0, null, null, 0]);
  });
});

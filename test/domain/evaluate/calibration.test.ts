import assert from 'node:assert/strict';
import fc from 'fast-check';
import { CalibrationSums, countCalibration } from '../../../domain/evaluate/calibration.js';
import { scoreMask } from '../../../domain/evaluate/scoreMask.js';
import { evaluationSummarySchema, summariseEvaluation } from '../../../domain/evaluate/summary.js';
import { NO_TAGS } from '../../../domain/tags.js';
import { idOf, TAXONOMY } from '../sample/rows.js';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const near = (found: number | undefined, expected: number): void =>
  assert.ok(found !== undefined && Math.abs(found - expected) < 1e-12, `${found} is not ${expected}`);

const pixel = fc.record({
  given: fc.constantFrom(0, 1, 2, 3, 255),
  predicted: fc.constantFrom(0, 1, 2, 3),
  p: fc.integer({ min: 0, max: 255 }),
});
const image = fc.array(pixel, { maxLength: 60 }).map((pixels) => ({
  given: Uint8Array.from(pixels, ({ given }) => given),
  predicted: Uint8Array.from(pixels, ({ predicted }) => predicted),
  p: Uint8Array.from(pixels, ({ p }) => p),
}));

describe('the calibration of pixels', () => {
  it('is counted by predicted class and bin, without background and ignored pixels', () => {
    const counts = countCalibration(bytes(1, 2, 1, 0, 255, 0), bytes(1, 1, 1, 2, 1, 0), bytes(255, 250, 51, 25, 9, 99));
    assert.deepEqual(counts, [1, 2, 1, 51, 1, 1, 9, 2, 505, 1, 2, 0, 1, 25, 0]);
  });

  it('equals a calculation by hand', () => {
    // Class 1: two bins with 4 pixels at 0.8, of which 2 are right, and 1 pixel at 0.4, which is right.
    const sums = new CalibrationSums().add([1, 8, 4, 4 * 204, 2]).add([1, 4, 1, 102, 1, 2, 9, 5, 5 * 255, 5]);
    near(sums.of(1)?.error, (4 * 0.3 + 0.6) / 5);
    near(sums.of(1)?.excess, (4 * 0.3 - 0.6) / 5);
    near(sums.of(2)?.error, 0);
    near(sums.overall()?.error, (4 * 0.3 + 0.6) / 10);
    assert.equal(sums.of(3), null);
    assert.equal(new CalibrationSums().overall(), null);
  });

  it('has an error of at least its excess, and is the same whatever the order and the parts of its images', () => {
    fc.assert(
      fc.property(fc.array(image, { maxLength: 6 }), (images) => {
        const counts = images.map(({ given, predicted, p }) => countCalibration(given, predicted, p));
        const one = new CalibrationSums();
        for (const each of counts) one.add(each);
        const other = new CalibrationSums();
        for (const each of counts.toReversed()) other.add(each);
        for (const [mine, theirs] of [
          ...[1, 2, 3].map((at) => [one.of(at), other.of(at)]),
          [one.overall(), other.overall()],
        ]) {
          if (mine == null || theirs == null) {
            assert.equal(mine, theirs);
            continue;
          }
          near(mine.error, theirs.error);
          assert.ok(mine.error <= 1 && Math.abs(mine.excess) <= mine.error + 1e-12);
        }
      }),
    );
  });
});

describe('the summary of an evaluation with probabilities', () => {
  const row = (n: number, probabilities: Uint8Array | null) =>
    scoreMask(
      { imageId: idOf(n), fileName: `car-${n}.jpg`, vehicleId: null, ...NO_TAGS },
      { given: bytes(1, 1, 2, 0), predicted: bytes(1, 1, 1, 0), probabilities, width: 2, height: 2, classes: 3 },
    );

  it('has the calibration error of each class and of all', () => {
    const summary = evaluationSummarySchema.parse(summariseEvaluation([row(1, bytes(255, 255, 255, 0))], TAXONOMY));
    near(summary.calibrationError ?? undefined, 1 / 3);
    near(summary.overconfidence ?? undefined, 1 / 3);
    assert.deepEqual(
      summary.classes.map(({ calibrationError }) => calibrationError !== null),
      [true, false, false],
    );
  });

  it('has none if an image was counted without them', () => {
    const rows = [row(1, bytes(255, 255, 255, 0)), row(2, null)];
    const summary = evaluationSummarySchema.parse(summariseEvaluation(rows, TAXONOMY));
    assert.deepEqual([summary.calibrationError, summary.classes[0]?.calibrationError], [null, null]);
  });
});

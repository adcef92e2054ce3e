import assert from 'node:assert/strict';
import fc from 'fast-check';
import { chooseQuarantine, thresholdForPrecision } from '../../../../domain/scan/verdict/quarantine.js';
import { NO_TAGS } from '../../../../domain/tags.js';

describe('the quarantine', () => {
  it('never sets more images aside than the cap, nor more of one tag than twice the overall share', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ p: fc.double({ min: 0, max: 1, noNaN: true }), black: fc.boolean() }), { maxLength: 120 }),
        (images) => {
          const population = images.map(({ black }) => ({ tags: { ...NO_TAGS, black }, classes: [] }));
          const { chosen, overflow } = chooseQuarantine(
            images.map(({ p, black }, index) => ({
              index,
              probability: p,
              tags: { ...NO_TAGS, black },
              classId: null,
            })),
            { population, quarantineAt: 0.5, quarantineCap: 0.3 },
          );
          const over = images.filter(({ p }) => p >= 0.5).length;
          assert.ok(chosen.size <= Math.floor(0.3 * images.length));
          assert.equal(overflow, over - chosen.size);
          const rate = images.length === 0 ? 0 : Math.min(over, Math.floor(0.3 * images.length)) / images.length;
          const black = images.filter((image) => image.black).length;
          assert.ok(
            [...chosen].filter((index) => images[index]?.black === true).length <=
              Math.max(3, Math.ceil(2 * rate * black)),
          );
        },
      ),
    );
  });
});

describe('the threshold for a precision', () => {
  it('is the lowest one above which images are wrong often enough in expectation', () => {
    assert.equal(thresholdForPrecision([0.1, 0.9, 0.8, 0.6, 0.2], 0.8), 0.8);
    assert.equal(thresholdForPrecision([0.99, 0.9, 0.7, 0.6], 0.75), 0.6);
    assert.equal(thresholdForPrecision([0.3, 0.2], 0.8), Number.POSITIVE_INFINITY);
    assert.equal(thresholdForPrecision([], 0.8), Number.POSITIVE_INFINITY);
  });

  it('keeps the expected precision, as no lower threshold would', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 40 }),
        fc.double({ min: 0.5, max: 1, noNaN: true }),
        (probabilities, precision) => {
          const mean = (threshold: number): number => {
            const over = probabilities.filter((p) => p >= threshold);
            return over.reduce((sum, p) => sum + p, 0) / over.length;
          };
          const threshold = thresholdForPrecision(probabilities, precision);
          if (Number.isFinite(threshold)) assert.ok(mean(threshold) >= precision - 1e-9);
          for (const lower of probabilities.filter((p) => p < threshold)) assert.ok(mean(lower) < precision + 1e-9);
        },
      ),
    );
  });
});

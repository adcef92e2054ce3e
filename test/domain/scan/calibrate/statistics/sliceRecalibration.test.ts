import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  learnSliceShifts,
  recalibrated,
  type Sliced,
  tagSlices,
} from '../../../../../domain/scan/calibrate/statistics/sliceRecalibration.js';
import { NO_TAGS } from '../../../../../domain/tags.js';

const item = fc.record({
  slices: fc.constantFrom(['zoomed=true', 'angle=0'], ['zoomed=false', 'angle=0'], ['zoomed=false', 'angle=90']),
  probability: fc.double({ min: 0, max: 1, noNaN: true }),
});
const countsOf = (items: readonly Sliced[]): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const { slices } of items) for (const slice of slices) counts.set(slice, (counts.get(slice) ?? 0) + 1);
  return counts;
};

describe('the recalibration of slices', () => {
  it('never makes a slice more suspect, and keeps the order within it', () => {
    fc.assert(
      fc.property(fc.array(item, { minLength: 1, maxLength: 60 }), (items) => {
        const shifts = learnSliceShifts(items, countsOf(items), 1);
        for (const value of shifts.values()) assert.ok(value <= 0);
        const zoomed = items.filter(({ slices }) => slices[0] === 'zoomed=true').map(({ probability }) => probability);
        const after = [...zoomed].sort((a, b) => a - b).map((p) => recalibrated(p, ['zoomed=true', 'angle=0'], shifts));
        assert.deepEqual(
          [...after].sort((a, b) => a - b),
          after,
        );
      }),
    );
  });

  it('lowers a slice that is suspect throughout, and leaves one alone that is like all others', () => {
    const zoomed = Array.from({ length: 20 }, () => ({ slices: ['zoomed=true'], probability: 0.8 }));
    const usual = Array.from({ length: 180 }, (_, index) => ({
      slices: ['zoomed=false'],
      probability: index < 18 ? 0.9 : 0.05,
    }));
    const items = [...zoomed, ...usual];
    const shifts = learnSliceShifts(items, countsOf(items), 1);
    assert.ok(recalibrated(0.8, ['zoomed=true'], shifts) < 0.45);
    assert.equal(recalibrated(0.9, ['zoomed=false'], shifts), 0.9);
  });

  it('forgives a suspicion that may be chance: one suspect of three', () => {
    const few = [0.9, 0.1, 0.1].map((probability) => ({ slices: ['vehicle=van'], probability }));
    const many = Array.from({ length: 200 }, (_, index) => ({
      slices: ['vehicle=suv'],
      probability: index < 30 ? 0.9 : 0.05,
    }));
    const items = [...few, ...many];
    const shifts = learnSliceShifts(items, countsOf(items), 1);
    assert.ok(recalibrated(0.9, ['vehicle=van'], shifts) > 0.8);
  });

  it('takes the given tags of an image, or those of the prediction if none are given', () => {
    const tags = { ...NO_TAGS, angle: 90 as const };
    assert.deepEqual(tagSlices({ tags, analysis: null }), ['angle=90']);
    assert.deepEqual(tagSlices({ tags: NO_TAGS, analysis: null }), []);
  });
});

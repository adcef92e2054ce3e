import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type AuditFacts, COSTS, LEARNING, planAudit } from '../../../domain/audit/plan.js';

/** 400 photos on two cores, as measured. */
const PHOTOS: AuditFacts = {
  ...{ images: 400, longestSide: 512, seconds: 14 * 60, cores: 2 },
  pace: { seconds: 0.44, size: 160 },
};
const facts = fc.record({
  images: fc.integer({ min: 2, max: 100_000 }),
  longestSide: fc.integer({ min: 1, max: 8_000 }),
  seconds: fc.double({ min: -100, max: 100_000, noNaN: true }),
  cores: fc.integer({ min: 1, max: 64 }),
  pace: fc.record({ seconds: fc.double({ min: 1e-3, max: 60, noNaN: true }), size: fc.constantFrom(96, 128, 192) }),
});

describe('the plan of an audit', () => {
  it('ends within the time for 400 photos, with folds that see each of their images about 25 times', () => {
    const plan = planAudit(PHOTOS);
    assert.ok(plan.fits && plan.seconds <= PHOTOS.seconds, `${plan.seconds}`);
    assert.equal(plan.folds, 2);
    assert.ok(plan.imageSize >= 128 && plan.imageSize <= 256, `${plan.imageSize}`);
    assert.ok((plan.iterations * plan.batchSize) / 200 >= 24, `${plan.iterations}`);
  });

  it('uses more time for larger pictures and more folds', () => {
    const day = planAudit({ ...PHOTOS, seconds: 24 * 3_600 });
    assert.deepEqual([day.folds, day.imageSize], [4, 384]);
    assert.ok(day.seconds < 24 * 3_600);
  });

  it('sees no more pixels than the pictures have', () => {
    assert.equal(planAudit({ ...PHOTOS, longestSide: 90, seconds: 1e5 }).imageSize, 96);
    assert.equal(planAudit({ ...PHOTOS, longestSide: 20, seconds: 1e5 }).imageSize, 32);
  });

  it('says that the time does not suffice, and what it takes', () => {
    const plan = planAudit({ ...PHOTOS, images: 50_000, seconds: 600 });
    assert.deepEqual([plan.fits, plan.iterations, plan.folds], [false, LEARNING.least, 2]);
    assert.ok(plan.seconds > 600);
  });

  it('keeps to the time whenever it says so, and more time never makes it cheaper', () => {
    fc.assert(
      fc.property(facts, fc.double({ min: 0, max: 1e5, noNaN: true }), (given, more) => {
        const plan = planAudit(given);
        assert.equal(plan.fits, plan.seconds <= given.seconds);
        if (plan.fits && plan.iterations > LEARNING.least)
          assert.ok(plan.seconds <= Math.ceil(given.seconds * (1 - COSTS.reserve)), `${plan.seconds}`);
        assert.ok(plan.imageSize % 32 === 0 && plan.folds >= 2 && plan.folds <= given.images);
        const later = planAudit({ ...given, seconds: given.seconds + more });
        assert.ok(later.imageSize >= plan.imageSize && later.folds >= plan.folds);
      }),
    );
  });
});

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { bootstrapMean } from '../../bench/metrics/bootstrap.js';
import {
  brierSkill,
  calibrationErrorByChance,
  expectedCalibrationError,
  reliability,
} from '../../bench/metrics/calibration.js';
import { bestAtPrecision, detectionAt, type JudgedClaim, meets } from '../../bench/metrics/detection.js';
import { auroc, averagePrecision, precisionAt } from '../../bench/metrics/ranking.js';
import { seededRandom } from '../../domain/base/random.js';

const scored = fc.array(fc.record({ score: fc.integer({ min: 0, max: 8 }), wrong: fc.boolean() }), {
  minLength: 2,
  maxLength: 40,
});
const scoresOf = (items: readonly { score: number }[]): number[] => items.map(({ score }) => score);
const wrongOf = (items: readonly { wrong: boolean }[]): boolean[] => items.map(({ wrong }) => wrong);

describe('ranking metrics', () => {
  it('give 1 for a perfect order, 0 for the reverse, and nothing if there is only one class', () => {
    assert.equal(auroc([0.9, 0.8, 0.2, 0.1], [true, true, false, false]), 1);
    assert.equal(auroc([0.1, 0.2, 0.8, 0.9], [true, true, false, false]), 0);
    assert.equal(averagePrecision([0.9, 0.8, 0.2, 0.1], [true, true, false, false]), 1);
    assert.equal(auroc([1, 2], [true, true]), null);
    assert.equal(averagePrecision([1, 2], [false, false]), null);
  });

  it('count a tie as half: a constant score ranks like a coin, with the base rate as its precision', () => {
    assert.equal(auroc([1, 1, 1, 1], [true, false, false, false]), 0.5);
    assert.equal(averagePrecision([1, 1, 1, 1], [true, false, false, false]), 0.25);
    assert.equal(precisionAt([1, 1, 1, 1], [true, false, false, false], 2), 0.25);
  });

  it('agree with counting pairs one by one', () => {
    fc.assert(
      fc.property(scored, (items) => {
        let above = 0;
        let pairs = 0;
        for (const bad of items.filter(({ wrong }) => wrong)) {
          for (const good of items.filter(({ wrong }) => !wrong)) {
            pairs++;
            above += bad.score > good.score ? 1 : bad.score === good.score ? 0.5 : 0;
          }
        }
        const value = auroc(scoresOf(items), wrongOf(items));
        if (pairs === 0) assert.equal(value, null);
        else assert.ok(value !== null && Math.abs(value - above / pairs) < 1e-12);
      }),
    );
  });

  it('do not depend on the order of images', () => {
    fc.assert(
      fc.property(scored, (items) => {
        const turned = [...items].reverse();
        assert.equal(auroc(scoresOf(items), wrongOf(items)), auroc(scoresOf(turned), wrongOf(turned)));
        assert.equal(
          averagePrecision(scoresOf(items), wrongOf(items)),
          averagePrecision(scoresOf(turned), wrongOf(turned)),
        );
      }),
    );
  });

  it('take all of a list that is shorter than asked for', () => {
    assert.equal(precisionAt([3, 2], [true, false], 50), 0.5);
    assert.equal(precisionAt([], [], 50), 0);
  });
});

describe('calibration metrics', () => {
  it('show almost no error for claims that come true as often as they say', () => {
    const random = seededRandom('calibrated');
    const claims = Array.from({ length: 20_000 }, () => random());
    const wrong = claims.map((claim) => random() < claim);
    assert.ok(expectedCalibrationError(claims, wrong) < 0.02);
    assert.ok((brierSkill(claims, wrong) ?? 0) > 0.3);
  });

  it('give a constant claim of the base rate no error and no skill', () => {
    const wrong = Array.from({ length: 100 }, (_, index) => index < 20);
    const claims = wrong.map(() => 0.2);
    assert.ok(expectedCalibrationError(claims, wrong) < 1e-12);
    assert.ok(Math.abs(brierSkill(claims, wrong) ?? 1) < 1e-12);
    assert.equal(brierSkill([0.5], [true]), null);
  });

  it('tell the error that few calibrated claims show by chance, which falls with their number', () => {
    const random = seededRandom('by chance');
    const claims = Array.from({ length: 60 }, () => random());
    const shown = Array.from({ length: 300 }, () =>
      expectedCalibrationError(
        claims,
        claims.map((claim) => random() < claim),
      ),
    );
    const usual = shown.reduce((sum, value) => sum + value, 0) / shown.length;
    assert.ok(Math.abs(calibrationErrorByChance(claims) - usual) < 0.02);
    assert.ok(calibrationErrorByChance(Array.from({ length: 3_000 }, () => random())) < usual / 2);
    assert.equal(calibrationErrorByChance([0, 1, 1]), 0);
  });

  it('keep equal claims in one bin, and every claim in some bin', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 60 }), (values) => {
        const claims = values.map((value) => value / 5);
        const table = reliability(
          claims,
          claims.map(() => false),
        );
        assert.equal(
          table.reduce((sum, { count }) => sum + count, 0),
          claims.length,
        );
        assert.ok(table.every((bin, index) => index === 0 || bin.claimed > (table[index - 1]?.claimed ?? 1)));
      }),
    );
  });
});

describe('claims against planted errors', () => {
  const region = (from: number, to: number): Set<number> =>
    new Set(Array.from({ length: to - from }, (_, at) => from + at));

  it('match by kind and an overlap of 0.3, or anywhere for the whole label', () => {
    const error = { kind: 'missing_part', region: region(0, 100) };
    assert.equal(meets({ kind: 'missing_part', probability: 1, region: region(50, 130) }, error), true);
    assert.equal(meets({ kind: 'missing_part', probability: 1, region: region(80, 180) }, error), false);
    assert.equal(meets({ kind: 'wrong_class', probability: 1, region: region(0, 100) }, error), false);
    assert.equal(meets({ kind: 'missing_part', probability: 1, region: null }, error), false);
    assert.equal(
      meets({ kind: 'shifted', probability: 1, region: region(7, 9) }, { kind: 'shifted', region: null }),
      true,
    );
  });

  it('have as threshold the lowest one with the wanted precision', () => {
    const claim = (probability: number, ...ids: string[]): JudgedClaim => ({ kind: 'hole', probability, meets: ids });
    const claims = [
      claim(0.9, 'a'),
      claim(0.8, 'b'),
      claim(0.7),
      claim(0.6, 'c'),
      claim(0.5, 'd'),
      claim(0.4),
      claim(0.3),
    ];
    assert.deepEqual(bestAtPrecision(claims, 5, 0.8), { threshold: 0.5, recall: 0.8, precision: 0.8 });
    assert.equal(bestAtPrecision([claim(0.9)], 5, 0.8), null);
    assert.deepEqual(detectionAt(claims, 5, 0.65), { threshold: 0.65, recall: 0.4, precision: 2 / 3 });
  });

  it('count an error once, however many claims match it', () => {
    const claims = [0.9, 0.8].map((probability) => ({ kind: 'hole', probability, meets: ['a'] }));
    assert.equal(detectionAt(claims, 2, 0.5).recall, 0.5);
  });
});

describe('the paired bootstrap', () => {
  it('gives an interval around the mean difference of two groups, the same for the same seed', () => {
    const random = seededRandom('numbers');
    const groups = [200, 300].map((size) => Array.from({ length: size }, () => 0.1 + random() - 0.5));
    const mean = (group: number, members: readonly number[]): number =>
      members.reduce((sum, index) => sum + (groups[group]?.[index] ?? 0), 0) / members.length;
    const sizes = groups.map(({ length }) => length);
    const interval = bootstrapMean(sizes, mean, 500);
    assert.ok(interval.low < interval.mean && interval.mean < interval.high);
    assert.ok(interval.low > 0.02 && interval.high < 0.18);
    assert.deepEqual(bootstrapMean(sizes, mean, 500), interval);
  });
});

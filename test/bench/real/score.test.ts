import assert from 'node:assert/strict';
import fc from 'fast-check';
import { seenIn } from '../../../bench/detect/real/claims.js';
import { imageScores, OURS } from '../../../bench/detect/real/ranking.js';
import {
  kendallTau,
  missingFunnel,
  type RealClaim,
  type RealError,
  realFindingScores,
} from '../../../bench/detect/real/score.js';
import { seededRandom, shuffle } from '../../../domain/base/random.js';

const error = (image: number, value: number, kind: RealError['kind'] = 'missing_part'): RealError => ({
  image,
  kind,
  value,
  box: [0, 0, 0.5, 0.5],
  pixels: [0, 1, 2, 3],
});
const claim = (image: number, value: number, more: Partial<RealClaim> = {}): RealClaim => ({
  image,
  kind: 'missing_part',
  value,
  box: [0, 0, 0.5, 0.5],
  probability: 0.6,
  proposal: new Set([0, 1, 2, 3]),
  ...more,
});
const missing = (claims: RealClaim[], errors: RealError[]) => {
  const [score] = realFindingScores(claims, errors);
  assert.ok(score !== undefined);
  return score;
};

const errors = fc.uniqueArray(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 1, max: 4 })), {
  minLength: 1,
  maxLength: 12,
  selector: String,
});
const claims = fc.array(
  fc.record({
    image: fc.integer({ min: 0, max: 5 }),
    value: fc.integer({ min: 1, max: 4 }),
    probability: fc.constantFrom(0.1, 0.3, 0.6, 0.9),
  }),
  { maxLength: 20 },
);

describe('findings beside errors that people made', () => {
  it('are right with the right class, kind and image, and a box IoU of at least 0.3', () => {
    const scoreOf = (found: RealClaim) => missing([found], [error(0, 3)]).at[1];
    assert.deepEqual([scoreOf(claim(0, 3))?.precision, scoreOf(claim(0, 3))?.recall], [1, 1]);
    for (const wrong of [claim(1, 3), claim(0, 4), claim(0, 3, { box: [0.3, 0, 0.8, 0.5] })])
      assert.deepEqual([scoreOf(wrong)?.precision, scoreOf(wrong)?.recall], [0, 0]);
    assert.equal(scoreOf(claim(0, 3, { kind: 'wrong_class' }))?.precision, null);
  });

  it('are counted by probability, two of one error as one found', () => {
    const score = missing(
      [claim(0, 3, { probability: 0.9 }), claim(0, 3, { probability: 0.3 }), claim(0, 4, { probability: 0.5 })],
      [error(0, 3), error(1, 3)],
    );
    assert.deepEqual(
      score.at.map(({ findings, right, recall }) => [findings, right, recall]),
      [
        [3, 2, 0.5],
        [2, 1, 0.5],
        [1, 1, 0.5],
      ],
    );
    assert.ok(Math.abs((score.at[1]?.expectedRight ?? 0) - 1.4) < 1e-9);
  });

  it('have the median IoU of right proposals with the corrected part', () => {
    const half = claim(1, 3, { proposal: new Set([0, 1]) });
    assert.equal(missing([claim(0, 3), half], [error(0, 3), error(1, 3)]).medianProposalIou, 0.75);
    assert.equal(missing([claim(0, 4)], [error(0, 3)]).medianProposalIou, null);
  });

  it('score 1 if they are the errors, and 0 if there are none', () => {
    fc.assert(
      fc.property(errors, (drawn) => {
        const real = drawn.map(([image, value]) => error(image, value));
        const perfect = missing(
          drawn.map(([image, value]) => claim(image, value, { probability: 1 })),
          real,
        );
        for (const { precision, recall } of perfect.at) assert.deepEqual([precision, recall], [1, 1]);
        for (const { precision, recall } of missing([], real).at) assert.deepEqual([precision, recall], [null, 0]);
      }),
    );
  });

  it('score the same in any order', () => {
    fc.assert(
      fc.property(errors, claims, fc.integer(), (drawn, found, seed) => {
        const real = drawn.map(([image, value]) => error(image, value));
        const all = found.map(({ image, value, probability }) => claim(image, value, { probability }));
        const random = seededRandom('order', seed);
        const figures = (of: RealClaim[], against: RealError[]) =>
          missing(of, against).at.map(({ findings, right, recall, precision }) => [findings, right, recall, precision]);
        assert.deepEqual(figures(shuffle(all, random), shuffle(real, random)), figures(all, real));
        const funnel = missingFunnel(real, all, all, all);
        assert.deepEqual(missingFunnel(shuffle(real, random), shuffle(all, random), all, shuffle(all, random)), funnel);
      }),
    );
  });
});

describe('missing parts on their way to a finding', () => {
  it('are lost to the judge, to the choice of candidates or to the probability', () => {
    const real = [error(0, 1), error(0, 2), error(0, 3), error(0, 4), error(0, 5, 'wrong_class')];
    const funnel = missingFunnel(
      real,
      [claim(0, 1), claim(0, 2), claim(0, 3)],
      [claim(0, 1), claim(0, 2)],
      [claim(0, 1, { probability: 0.3 })],
    );
    assert.deepEqual(funnel, {
      real: 4,
      seen: 3,
      candidates: 2,
      found: [
        { threshold: 0.2, count: 1 },
        { threshold: 0.5, count: 0 },
        { threshold: 0.8, count: 0 },
      ],
    });
  });

  it('are seen where the label has background, by component', () => {
    const size = 10;
    const mask = new Uint8Array(size * size);
    mask.fill(2, 0, 20);
    const label = new Uint8Array(size * size).fill(2, 0, 10);
    const { claims: seen, unlabelled } = seenIn(label, mask, size, 7);
    assert.equal(unlabelled, 0.1);
    assert.deepEqual(
      seen.map(({ image, value, box }) => ({ image, value, box })),
      [{ image: 7, value: 2, box: [0, 0.1, 1, 0.2] }],
    );
  });
});

describe("Kendall's tau", () => {
  it('is 1 for the same order, -1 for the reverse, corrected for ties, and null without an order', () => {
    assert.equal(kendallTau([1, 2, 3], [10, 20, 30]), 1);
    assert.equal(kendallTau([1, 2, 3], [3, 2, 1]), -1);
    // Two of three pairs agree, one is tied in the first list: 2 / sqrt(2 * 3).
    assert.ok(Math.abs((kendallTau([1, 1, 2], [1, 2, 3]) ?? 0) - 2 / Math.sqrt(6)) < 1e-12);
    assert.equal(kendallTau([1, 1, 1], [1, 2, 3]), null);
  });
});

describe('scores of images with errors that people made', () => {
  it('have intervals around their figures, and a gain of ours over each other on the same images', () => {
    const wrong = Array.from({ length: 60 }, (_, index) => index % 2 === 0);
    const perfect = wrong.map((one) => (one ? 1 : 0));
    const scores = { [OURS]: perfect, other: perfect.map((one) => 1 - one) };
    const { [OURS]: ours, other } = imageScores(scores, wrong, perfect, 50);
    assert.deepEqual(ours?.metrics.auroc, { mean: 1, low: 1, high: 1 });
    assert.equal(ours?.behind, null);
    assert.deepEqual(other?.behind?.auroc, { mean: 1, low: 1, high: 1 });
    assert.deepEqual([ours?.tau, other?.tau], [1, -1]);
  });
});

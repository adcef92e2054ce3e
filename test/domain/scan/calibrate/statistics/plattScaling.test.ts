import assert from 'node:assert/strict';
import fc from 'fast-check';
import { seededRandom } from '../../../../../domain/base/random.js';
import {
  type Answer,
  correctByVerdicts,
  learnCorrection,
  NO_CORRECTION,
} from '../../../../../domain/scan/calibrate/statistics/plattScaling.js';

/** Answers to findings whose true probability is `truth` of the stated one. */
function answers(count: number, truth: (p: number) => number, kind = 'missing_part', chance = 1): Answer[] {
  const random = seededRandom('answers', kind, count);
  return Array.from({ length: count }, () => {
    const pModel = random();
    return { kind, pModel, wrong: random() < truth(pModel), chance };
  });
}

describe('the correction by verdicts', () => {
  it('changes nothing before there is a verdict', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (p) => {
        assert.equal(correctByVerdicts(NO_CORRECTION, 'swapped', p), p);
        assert.deepEqual(learnCorrection([]), NO_CORRECTION);
      }),
    );
  });

  it('hardly changes probabilities that reviewers confirm', () => {
    const learned = learnCorrection(answers(800, (p) => p));
    for (const p of [0.2, 0.5, 0.8]) assert.ok(Math.abs(correctByVerdicts(learned, 'missing_part', p) - p) < 0.06);
  });

  it('lowers the probabilities of a kind whose labels reviewers mostly find right, and of no other kind', () => {
    const learned = learnCorrection([...answers(60, () => 0.05, 'hole'), ...answers(300, (p) => p, 'missing_part')]);
    assert.ok(correctByVerdicts(learned, 'hole', 0.8) < 0.4);
    assert.ok(correctByVerdicts(learned, 'missing_part', 0.8) > 0.7);
  });

  it('moves little after two answers', () => {
    const learned = learnCorrection([
      { kind: 'hole', pModel: 0.8, wrong: false, chance: 1 },
      { kind: 'hole', pModel: 0.9, wrong: false, chance: 1 },
    ]);
    assert.ok(correctByVerdicts(learned, 'hole', 0.8) > 0.4);
  });

  it('keeps the order of probabilities within a kind, whatever people answer', () => {
    const answer = fc.record({
      kind: fc.constantFrom('hole', 'swapped'),
      pModel: fc.double({ min: 0, max: 1, noNaN: true }),
      wrong: fc.boolean(),
      chance: fc.double({ min: 0.001, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(answer, { maxLength: 30 }), (list) => {
        const learned = learnCorrection(list);
        const moved = [0.01, 0.2, 0.5, 0.9].map((p) => correctByVerdicts(learned, 'hole', p));
        assert.deepEqual(
          [...moved].sort((a, b) => a - b),
          moved,
        );
        assert.ok(moved.every((p) => p >= 0 && p <= 1));
      }),
    );
  });

  it('weighs answers by the inverse of the chance of being asked', () => {
    const asked: Answer[] = [
      // Everything flagged is shown and mostly wrong; of the rest one in ten is shown, and it is right.
      ...answers(100, () => 0.9, 'missing_part', 1),
      ...answers(100, () => 0.1, 'missing_part', 0.1),
    ];
    const even = learnCorrection(asked.map((answer) => ({ ...answer, chance: 1 })));
    const weighted = learnCorrection(asked);
    assert.ok(correctByVerdicts(weighted, 'missing_part', 0.5) < correctByVerdicts(even, 'missing_part', 0.5) - 0.1);
  });
});

import assert from 'node:assert/strict';
import { claimOf, drawStrata } from '../../../../domain/review/propagate/round.js';
import { learnScore, type Scored, type Taught } from '../../../../domain/review/propagate/score.js';

const proposal = (changes: Partial<Scored> = {}): Scored => ({
  ...{ kind: 'missing_part', classId: 0, suggestedClassId: 2, pModel: 0.7, evidence: { confidence: 0.8 } },
  ...changes,
});
const answer = (accepted: boolean, changes: Partial<Scored> = {}): Taught => ({ ...proposal(changes), accepted });

describe('the score of a proposal', () => {
  it('is the probability of the scan until somebody answers', () => {
    assert.equal(learnScore([], [proposal()])(proposal()), 0.7);
  });

  it('moves with the answers to proposals of its kind and classes, and less with those of others', () => {
    const right = { kind: 'wrong_class' as const, classId: 1, suggestedClassId: 3 };
    const answers = [
      ...Array.from({ length: 8 }, () => answer(true)),
      ...Array.from({ length: 8 }, () => answer(false, right)),
    ];
    const score = learnScore(answers, [proposal()]);
    assert.ok(score(proposal()) > 0.8);
    assert.ok(score(proposal(right)) < 0.4);
    const between = score(proposal({ kind: 'hole', classId: 0, suggestedClassId: 1 }));
    assert.ok(between > score(proposal(right)) && between < score(proposal()));
  });

  it('takes evidence into account, also where some of it is unknown', () => {
    const of = (confidence: number) => ({ evidence: { confidence } });
    const proposals = [0.2, 0.4, 0.6, 0.8].map((confidence) => proposal(of(confidence)));
    const answers = [0.2, 0.3, 0.4, 0.7, 0.8, 0.9].map((confidence) => answer(confidence > 0.5, of(confidence)));
    const score = learnScore(answers, proposals);
    assert.ok(score(proposal(of(0.9))) > score(proposal(of(0.2))));
    assert.ok(Number.isFinite(score(proposal({ evidence: {} }))));
  });
});

describe('a draw of findings', () => {
  const ranked = Array.from({ length: 103 }, (_, at) => ({ findingId: `f${at}`, score: ((at * 37) % 103) / 103 }));

  it('takes one of each stratum of neighbouring scores, the best first, and each proposal once', () => {
    const strata = drawStrata(ranked, 10, 'seed');
    assert.deepEqual(
      strata.map(({ proposals }) => proposals.length),
      [11, 11, 11, 10, 10, 10, 10, 10, 10, 10],
    );
    for (const { drawn, proposals } of strata) assert.ok(proposals.some(({ findingId }) => findingId === drawn));
    const scores = strata.flatMap(({ proposals }) => proposals.map(({ score }) => score));
    assert.deepEqual(
      scores,
      scores.toSorted((a, b) => b - a),
    );
    assert.equal(new Set(strata.flatMap(({ proposals }) => proposals.map(({ findingId }) => findingId))).size, 103);
  });

  it('gives each proposal of a stratum the same chance', () => {
    const counts = new Map<string, number>();
    for (let draw = 0; draw < 2_000; draw++)
      for (const { drawn } of drawStrata(ranked.slice(0, 8), 2, `${draw}`))
        counts.set(drawn, (counts.get(drawn) ?? 0) + 1);
    // 500 expected, with a standard deviation of 19.
    for (const count of counts.values()) assert.ok(count > 410 && count < 590, `${count}`);
    assert.equal(counts.size, 8);
  });

  it('spends all rounds of a scan together no more than the error probability', () => {
    const spent = Array.from(
      { length: 40 },
      (_, at) => claimOf({ number: at + 1, alpha: 0.1, confidence: 0.95 }).delta,
    );
    assert.deepEqual(
      spent,
      spent.toSorted((a, b) => b - a),
    );
    assert.ok(spent.reduce((sum, delta) => sum + delta, 0) <= 0.05 + 1e-12);
  });
});

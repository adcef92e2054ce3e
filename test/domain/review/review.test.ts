import assert from 'node:assert/strict';
import {
  latestVerdicts,
  precisionByKind,
  reliabilityOf,
  silenced,
  type Verdict,
  verdictSchema,
} from '../../../domain/review/review.js';

const IMAGE = 'a'.repeat(64);
const LABEL = 'b'.repeat(64);

const verdict = (changes: Partial<Verdict>): Verdict =>
  verdictSchema.parse({
    findingId: 'one',
    imageId: IMAGE,
    labelSha256: LABEL,
    kind: 'missing_part',
    classId: 0,
    suggestedClassId: 2,
    ...{ x0: 0.1, y0: 0.1, x1: 0.5, y1: 0.5 },
    verdict: 'right',
    pWrong: 0.8,
    pModel: 0.8,
    propensity: null,
    correctedSha256: null,
    reviewer: null,
    comment: null,
    reviewedAt: '2026-01-01T00:00:00Z',
    ...changes,
  });

const region = (changes: Partial<Parameters<typeof silenced>[0]> = {}): Parameters<typeof silenced>[0] => ({
  imageId: IMAGE,
  labelSha256: LABEL,
  kind: 'missing_part',
  x0: 0.1,
  y0: 0.1,
  x1: 0.5,
  y1: 0.5,
  ...changes,
});

describe('verdicts', () => {
  it('count the last word on a finding, and of equal times the later one', () => {
    const said = [
      verdict({ verdict: 'right', reviewedAt: '2026-01-03T00:00:00Z' }),
      verdict({ verdict: 'unsure', reviewedAt: '2026-01-01T00:00:00Z' }),
      verdict({ findingId: 'two', verdict: 'right' }),
      verdict({ findingId: 'two', verdict: 'wrong' }),
    ];
    const latest = latestVerdicts(said);
    assert.deepEqual([latest.get('one')?.verdict, latest.get('two')?.verdict, latest.size], ['right', 'wrong', 2]);
  });

  it('give the precision of each kind from the last words alone', () => {
    const said = [
      verdict({ verdict: 'right' }),
      verdict({ verdict: 'wrong', reviewedAt: '2026-02-01T00:00:00Z' }),
      verdict({ findingId: 'two', verdict: 'wrong' }),
      verdict({ findingId: 'three', verdict: 'right' }),
      verdict({ findingId: 'four', verdict: 'unsure' }),
      verdict({ findingId: 'five', verdict: 'accept' }),
      verdict({ findingId: 'six', kind: 'hole', verdict: 'unsure' }),
    ];
    assert.deepEqual(precisionByKind(said), [
      { kind: 'hole', answered: 0, wrong: 0, unsure: 1, precision: null },
      { kind: 'missing_part', answered: 4, wrong: 3, unsure: 1, precision: 3 / 4 },
    ]);
  });

  it('silence the same region of the same label for the same kind, however another model frames it', () => {
    const said = [verdict({})];
    assert.equal(silenced(region(), said), true);
    assert.equal(silenced(region({ x1: 0.6 }), said), true);
    assert.equal(silenced(region({ x0: 0.35, x1: 0.75 }), said), false);
    assert.equal(silenced(region({ kind: 'extra_part' }), said), false);
    assert.equal(silenced(region({ labelSha256: 'c'.repeat(64) }), said), false);
    assert.equal(silenced(region({ imageId: 'c'.repeat(64) }), said), false);
  });

  it('silence nothing once the reviewer takes them back', () => {
    const said = [verdict({}), verdict({ verdict: 'wrong', reviewedAt: '2026-02-01T00:00:00Z' })];
    assert.equal(silenced(region(), said), false);
  });

  it('about the finding itself count before verdicts on its neighbour', () => {
    const said = [verdict({}), verdict({ findingId: 'two', verdict: 'wrong' })];
    assert.equal(silenced(region({ findingId: 'two' }), said), false);
    assert.equal(silenced(region({ findingId: 'three' }), said), true);
  });
});

describe('claimed probabilities beside the findings of reviewers', () => {
  it('are counted by steps of probability, with the last answer per finding and without unsure ones', () => {
    const said = [
      verdict({ findingId: 'a', pModel: 0.6, verdict: 'wrong' }),
      verdict({ findingId: 'b', pModel: 0.68, verdict: 'right' }),
      verdict({ findingId: 'c', pModel: 0.96, verdict: 'right' }),
      verdict({ findingId: 'c', pModel: 0.96, verdict: 'accept', reviewedAt: '2026-01-02T00:00:00Z' }),
      verdict({ findingId: 'd', pModel: 0.6, verdict: 'unsure' }),
    ];
    const [middle, top] = reliabilityOf(said);
    assert.deepEqual([middle?.from, middle?.answered, middle?.observed], [0.5, 2, 0.5]);
    assert.ok(Math.abs((middle?.claimed ?? 0) - 0.64) < 1e-9);
    assert.deepEqual(top, { from: 0.95, answered: 1, claimed: 0.96, observed: 1 });
  });
});

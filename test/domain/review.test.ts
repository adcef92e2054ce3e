import assert from 'node:assert/strict';
import type { ReduceEntry } from '../../domain/mislabel/index.js';
import { precisionByKind, type Verdict, withoutFoundRight } from '../../domain/review.js';

const image = 'a'.repeat(64);
const label = 'b'.repeat(64);

const verdict = (fields: Partial<Verdict>): Verdict => ({
  ...{ findingId: 'f', imageId: image, labelSha256: label, kind: 'missing_part', classId: 0, suggestedClassId: 1 },
  ...{ x0: 0.1, y0: 0.1, x1: 0.5, y1: 0.5, pWrong: 0.7, verdict: 'right' },
  ...{ reviewer: null, comment: null, reviewedAt: '2026-01-01T00:00:00.000Z' },
  ...fields,
});

type Analysis = NonNullable<ReduceEntry['analysis']>;

function entry(kind: Analysis['candidates'][number]['kind'], box: [number, number, number, number]): ReduceEntry {
  const features = { confidence: 1, disagreement: 1, coverage: 1, compactness: 1, enclosure: 1 };
  const candidate = {
    ...{ kind, classId: 0, suggestedClassId: 1, area: 100, box, counts: [], proposal: null, rule: false },
    features: { ...features, absent: 1, balance: 0, context: 1, gain: 0 },
  };
  const sums = { unlabelledMass: 0, holeMass: 0, relabelledMass: 0, extraMass: 0, absentParts: 0 };
  const analysis: Analysis = {
    ...{ version: 2, width: 100, height: 100, candidates: [candidate], classCounts: [] },
    statistics: { ...sums, agreement: 1, clarity: 1 },
    ...{ selfConfidence: [], predictedClasses: [], labelledClasses: [], inferredTags: {}, injected: [] },
  };
  return { imageId: image, fileName: 'a.jpg', labelSha256: label, analysis, model: 'm' };
}
const left = (entries: ReduceEntry[]): number => entries[0]?.analysis?.candidates.length ?? -1;

describe("reviewers' answers", () => {
  it('silence what was found right: that kind, on that label, at that place', () => {
    const same = entry('missing_part', [12, 10, 50, 50]);
    assert.equal(left(withoutFoundRight([same], [verdict({})])), 0);
    assert.equal(left(withoutFoundRight([entry('hole', [12, 10, 50, 50])], [verdict({})])), 1);
    assert.equal(left(withoutFoundRight([entry('missing_part', [40, 40, 90, 90])], [verdict({})])), 1);
    assert.equal(left(withoutFoundRight([{ ...same, labelSha256: 'c'.repeat(64) }], [verdict({})])), 1);
  });

  it('count only as the last of them says', () => {
    const same = entry('missing_part', [10, 10, 50, 50]);
    assert.equal(left(withoutFoundRight([same], [verdict({}), verdict({ verdict: 'wrong' })])), 1);
    assert.equal(left(withoutFoundRight([same], [verdict({ verdict: 'wrong' }), verdict({})])), 0);
  });

  it('give the precision of each rule, with the unsure left out', () => {
    const answers = ['wrong', 'accept', 'right', 'unsure'] as const;
    const verdicts = answers.map((answer, index) => verdict({ findingId: `f${index}`, verdict: answer }));
    assert.deepEqual(precisionByKind([...verdicts, verdict({ findingId: 'h', kind: 'hole', verdict: 'unsure' })]), [
      { kind: 'hole', answered: 0, wrong: 0, unsure: 1, precision: null },
      { kind: 'missing_part', answered: 3, wrong: 2, unsure: 1, precision: 2 / 3 },
    ]);
  });
});

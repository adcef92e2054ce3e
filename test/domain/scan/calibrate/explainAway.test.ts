import assert from 'node:assert/strict';
import fc from 'fast-check';
import { explainAway } from '../../../../domain/scan/calibrate/explainAway.js';
import { familyOf } from '../../../../domain/scan/calibrate/families.js';
import type { Candidate } from '../../../../domain/scan/index.js';
import { FINDING_KINDS, type FindingKind } from '../../../../domain/tables.js';

type Box = Candidate['box'];

const FEATURES: Candidate['features'] = {
  confidence: 0,
  disagreement: 0,
  coverage: 1,
  compactness: 0,
  enclosure: 0,
  absent: 0,
  balance: 0,
  context: 0,
  gain: 0,
};

function candidate(kind: FindingKind, box: Box = [0, 0, 10, 10], whole = false): Candidate {
  return {
    kind,
    classId: whole ? 0 : 1,
    suggestedClassId: whole ? null : 2,
    area: 100,
    box,
    features: FEATURES,
    counts: [],
    proposal: null,
    rule: false,
  };
}

describe('explaining findings away', () => {
  it('explains the parts of a mirrored label by the mirrored label, as far as that is certain', () => {
    const found = [candidate('mirrored', [0, 0, 90, 90], true), candidate('swapped'), candidate('missing_part')];
    assert.deepEqual(explainAway(found, [0.9, 0.8, 0.7]), [0.9, 0.8 * (1 - 0.9), 0.7]);
  });

  it('lets the likelier of two readings of the whole label explain the other, never both each other', () => {
    const found = [candidate('shifted', [0, 0, 90, 90], true), candidate('bad_outline', [0, 0, 90, 90], true)];
    assert.deepEqual(explainAway(found, [0.9, 0.5]), [0.9, 0.5 * (1 - 0.9)]);
    assert.deepEqual(explainAway(found, [0.5, 0.9])[1], 0.9);
  });

  it('explains slivers by a bad outline, but not parts that are missing as a whole', () => {
    const missing = (coverage: number): Candidate => ({
      ...candidate('missing_part'),
      features: { ...FEATURES, coverage, disagreement: 0.95 },
    });
    const found = [candidate('bad_outline', [0, 0, 90, 90], true), missing(0.3), missing(0.95)];
    assert.deepEqual(explainAway(found, [0.9, 0.8, 0.8]), [0.9, 0.8 * (1 - 0.9), 0.8]);
  });

  it('reports an extra part once, under the more telling name', () => {
    const here: Box = [0, 0, 10, 10];
    const there: Box = [50, 50, 60, 60];
    const found = [candidate('wrong_class', here), candidate('too_many', here), candidate('too_many', there)];
    assert.deepEqual(explainAway(found, [0.9, 0.8, 0.8]), [0.9, 0.8 * (1 - 0.9), 0.8]);
  });

  it('reports a misnamed part at least as surely as the rule that it breaks', () => {
    const here: Box = [0, 0, 10, 10];
    const found = [candidate('odd_neighbours', here), candidate('swapped', here), candidate('wrong_class', here)];
    assert.deepEqual(explainAway(found, [0.8, 0.3, 0.2]), [0.8 * (1 - 0.8) * (1 - 0.2), 0.8, 0.2]);
    const elsewhere = [candidate('odd_neighbours', here), candidate('swapped', [50, 50, 60, 60])];
    assert.deepEqual(explainAway(elsewhere, [0.8, 0.3]), [0.8, 0.3]);
  });

  it('raises a probability at most to that of a rule about the same place, and leaves a single candidate alone', () => {
    const drawn = fc.record({
      kind: fc.constantFrom(...FINDING_KINDS),
      whole: fc.boolean(),
      p: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(drawn, { minLength: 1, maxLength: 6 }), (items) => {
        const found = items.map(({ kind, whole }) => candidate(kind, [0, 0, 10, 10], whole));
        const before = items.map(({ p }) => p);
        const after = explainAway(found, before);
        const rules = items.flatMap(({ p }, index) =>
          familyOf(found[index] as Candidate) === 'rule' ? [{ p, after: after[index] as number }] : [],
        );
        assert.ok(rules.every((rule) => rule.after <= rule.p));
        const most = Math.max(0, ...rules.map(({ p }) => p));
        assert.ok(after.every((p, index) => p >= 0 && p <= Math.max(before[index] as number, most)));
        if (items.length === 1) assert.deepEqual(after, before);
      }),
    );
  });
});

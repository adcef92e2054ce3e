import assert from 'node:assert/strict';
import type { AuditAnswer } from '../../../../domain/review/auditAnswers.js';
import { factsOf } from '../../../../domain/review/certificate/facts.js';
import { type JudgedRow, type PresentLabel, populationOf } from '../../../../domain/review/certificate/population.js';
import { type Verdict, verdictSchema } from '../../../../domain/review/review.js';
import { idOf } from '../../sample/rows.js';

const OLD = 'a'.repeat(64);
const NEW = 'b'.repeat(64);
const at = (hour: number): string => `2026-01-01T${String(hour).padStart(2, '0')}:00:00.000Z`;

const audit = (number: number, wrong: boolean, fields: Partial<AuditAnswer> = {}): AuditAnswer => ({
  ...{ type: 'audit', scan: 'scan-1', imageId: idOf(number), labelSha256: OLD, chance: 1, wrong, found: wrong },
  ...{ setAside: false, reviewer: 'ann', reviewedAt: at(1) },
  ...fields,
});
const verdict = (number: number, fields: Partial<Verdict>): Verdict =>
  verdictSchema.parse({
    ...{ findingId: `f-${number}`, imageId: idOf(number), labelSha256: OLD, kind: 'missing_part', classId: 0 },
    ...{ suggestedClassId: 1, x0: 0, y0: 0, x1: 1, y1: 1, pWrong: 0.5, pModel: 0.5, propensity: 1, verdict: 'wrong' },
    ...{ correctedSha256: null, reviewer: null, comment: null, reviewedAt: at(1), ...fields },
  });
const row = (number: number, fields: Partial<JudgedRow> = {}): JudgedRow => ({
  ...{ imageId: idOf(number), labelSha256: OLD, pMislabelled: 0.5, auditChance: 1 },
  ...fields,
});
const unchanged = (): PresentLabel => ({ labelSha256: OLD, reviewedAt: null });
const only = (facts: ReturnType<typeof factsOf>, present: PresentLabel | null) =>
  populationOf([{ scan: 'scan-1', rows: [row(1)] }], facts, () => present).images[0];

describe('facts about labels', () => {
  it('come from audited images and objections; `right` to a finding and `unsure` say nothing of the label', () => {
    const facts = factsOf(
      [verdict(1, { verdict: 'right' }), verdict(2, { verdict: 'unsure' }), verdict(3, { verdict: 'accept' })],
      [audit(4, false), audit(5, true)],
    );
    const known = [1, 2, 3, 4, 5].map((number) => facts.of(idOf(number), OLD));
    assert.deepEqual(known, [undefined, undefined, 'wrong', 'right', 'wrong']);
    assert.equal(facts.of(idOf(4), NEW), undefined);
  });

  it('are the latest ones, in whatever order they come and whichever scan asked', () => {
    const answers = [audit(1, true), audit(1, false, { reviewedAt: at(2), scan: 'scan-2' })];
    assert.equal(factsOf([], answers).of(idOf(1), OLD), 'right');
    assert.equal(factsOf([], answers.toReversed()).of(idOf(1), OLD), 'right');
    assert.equal(factsOf([verdict(1, { reviewedAt: at(3) })], answers).of(idOf(1), OLD), 'wrong');
    assert.equal(factsOf([], [audit(1, false), audit(1, true)]).of(idOf(1), OLD), 'wrong');
  });
});

describe('the images of a certificate', () => {
  it('have their label as it is now: unchanged, corrected, replaced or removed', () => {
    const facts = factsOf([], [audit(1, true)]);
    const now = (present: PresentLabel | null) => only(facts, present)?.now;
    assert.equal(now(unchanged()), 'wrong');
    assert.equal(now({ labelSha256: NEW, reviewedAt: at(1) }), 'right');
    assert.equal(now({ labelSha256: NEW, reviewedAt: null }), 'gone');
    assert.equal(now(null), 'gone');
    assert.equal(only(facts, null)?.was, 'wrong');
  });

  it('stay wrong if an objection was left without a correction, until a later review', () => {
    const facts = factsOf([verdict(1, { correctedSha256: NEW }), verdict(1, { findingId: 'other' })], []);
    assert.equal(only(facts, { labelSha256: NEW, reviewedAt: at(1) })?.now, 'wrong');
    assert.equal(only(facts, { labelSha256: NEW, reviewedAt: at(2) })?.now, 'right');
    const objected = factsOf([verdict(1, { labelSha256: NEW, reviewedAt: at(3) })], [audit(1, true)]);
    assert.equal(only(objected, { labelSha256: NEW, reviewedAt: at(2) })?.now, 'wrong');
  });

  it('each belong to the newest scan with an answered sample, else to the newest with a sample', () => {
    const newer = { scan: 'scan-2', rows: [row(1), row(2), row(3)] };
    const older = { scan: 'scan-1', rows: [row(2), row(3), row(4)] };
    const bare = { scan: 'scan-0', rows: [row(5, { auditChance: null })] };
    const of = (answers: AuditAnswer[]) =>
      populationOf([newer, older, bare], factsOf([], answers), unchanged).scans.map((one) => Object.values(one));
    assert.deepEqual(of([audit(4, false)]), [
      ['scan-1', 3, 3, 1],
      ['scan-2', 1, 1, 0],
    ]);
    assert.deepEqual(of([audit(1, false), audit(4, false)]), [
      ['scan-2', 3, 3, 1],
      ['scan-1', 1, 1, 1],
    ]);
  });

  it('are not taken from a scan whose sample was drawn in another way', () => {
    const rows = [row(1, { auditChance: 0.5 }), row(2, { auditChance: 0.5 })];
    assert.deepEqual(populationOf([{ scan: 'scan-1', rows }], factsOf([], []), unchanged).images, []);
  });

  it('have the chance of their draw, also if they were not drawn', () => {
    const rows = [1, 2, 3, 4].map((number) => row(number, { auditChance: number === 2 ? 0.25 : null }));
    const { images } = populationOf([{ scan: 'scan-1', rows }], factsOf([], []), unchanged);
    assert.deepEqual(
      images.map(({ chance, isDrawn }) => [chance, isDrawn]),
      [1, 2, 3, 4].map((number) => [0.25, number === 2]),
    );
  });
});

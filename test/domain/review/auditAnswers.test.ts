import assert from 'node:assert/strict';
import fc from 'fast-check';
import { seededRandom } from '../../../domain/base/random.js';
import {
  type AuditAnswer,
  estimateRecall,
  knownAuditAnswer,
  latestAuditAnswers,
} from '../../../domain/review/auditAnswers.js';
import { drawAudit } from '../../../domain/scan/verdict/auditSample.js';
import { idOf } from '../sample/rows.js';

const answer = (number: number, fields: Partial<AuditAnswer> = {}): AuditAnswer => ({
  ...{ type: 'audit', scan: 'scan-1', imageId: idOf(number), labelSha256: 'b'.repeat(64), chance: 0.1 },
  ...{ wrong: false, found: false, setAside: false, reviewer: 'ann', reviewedAt: '2026-01-01T00:00:00.000Z' },
  ...fields,
});

describe('answers to an audit sample', () => {
  it('say nothing if there are none, and nothing about recall while no label was wrong', () => {
    assert.equal(estimateRecall([]), null);
    const estimate = estimateRecall([answer(1), answer(2)]);
    assert.deepEqual([estimate?.wrongShare.value, estimate?.found, estimate?.setAside], [0, null, null]);
    assert.ok((estimate?.wrongShare.high ?? 0) > 0.5, 'two answers leave nearly everything open');
  });

  it('count for as many images as they stand for: one overlooked of many counts more than one found of few', () => {
    const estimate = estimateRecall([
      answer(1, { wrong: true, found: true, setAside: true, chance: 1 }),
      answer(2, { wrong: true, chance: 0.25 }),
      answer(3, { chance: 0.2 }),
    ]);
    assert.equal(estimate?.wrongShare.value, 0.5);
    assert.equal(estimate?.found?.value, 0.2);
    assert.equal(estimate?.setAside?.value, 0.2);
  });

  it('are the latest ones per image and scan, and repeating one adds nothing', () => {
    const early = answer(1, { wrong: true, found: true });
    const late = answer(1, { wrong: false, reviewedAt: '2026-01-02T00:00:00.000Z' });
    const other = answer(1, { scan: 'scan-2' });
    const latest = latestAuditAnswers([late, early, other]);
    assert.deepEqual([...latest.values()], [late, other]);
    assert.ok(knownAuditAnswer(latest, { ...late, reviewedAt: '2026-01-03T00:00:00.000Z' }));
    assert.ok(!knownAuditAnswer(latest, early));
    assert.ok(!knownAuditAnswer(latest, answer(2)));
  });

  it('have intervals around their values, narrower with more answers', () => {
    const chance = fc.double({ min: 0.01, max: 1, noNaN: true });
    const one = fc.record({ wrong: fc.boolean(), found: fc.boolean(), setAside: fc.boolean(), chance });
    fc.assert(
      fc.property(fc.array(one, { minLength: 1, maxLength: 40 }), (some) => {
        const once = estimateRecall(some.map((fields, at) => answer(at + 1, fields)));
        const twice = estimateRecall([...some, ...some].map((fields, at) => answer(at + 1, fields)));
        for (const name of ['wrongShare', 'found', 'setAside'] as const) {
          const [few, many] = [once?.[name], twice?.[name]];
          if (few == null || many == null) continue;
          assert.ok(few.low >= 0 && few.high <= 1);
          assert.ok(few.low <= few.value + 1e-9 && few.value <= few.high + 1e-9);
          assert.ok(Math.abs(many.value - few.value) < 1e-9);
          assert.ok(many.high - many.low < few.high - few.low + 1e-12);
        }
      }),
    );
  });

  it('estimate within their interval how many wrong labels a scan overlooked, sample after sample', () => {
    const random = seededRandom('audit-recall');
    let inside = 0;
    const samples = 60;
    for (let sample = 0; sample < samples; sample++) {
      const images = Array.from({ length: 800 }, (_, at) => {
        const wrong = random() < 0.25;
        const found = wrong && random() < 0.7;
        const probability = found ? 0.5 + random() / 2 : random() * 0.3;
        return { imageId: idOf(1 + at + sample * 800), wrong, found, probability };
      });
      const drawn = drawAudit(images, 200);
      const answers = images.flatMap(({ wrong, found, imageId, probability }) => {
        const chance = drawn.get(imageId);
        return chance === undefined ? [] : [answer(1, { imageId, chance, wrong, found, setAside: probability > 0.5 })];
      });
      const wrong = images.filter((image) => image.wrong);
      const truth = wrong.filter((image) => image.found).length / wrong.length;
      const estimate = estimateRecall(answers)?.found;
      if (estimate != null && estimate.low <= truth && truth <= estimate.high) inside++;
    }
    assert.ok(inside >= 0.88 * samples, `${inside} of ${samples} intervals hold the truth`);
  });
});

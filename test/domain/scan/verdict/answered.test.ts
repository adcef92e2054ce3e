import assert from 'node:assert/strict';
import { seededRandom } from '../../../../domain/base/random.js';
import { scanConfigSchema } from '../../../../domain/config.js';
import { silencer, type Verdict, verdictSchema } from '../../../../domain/review/review.js';
import { analyseWithInjection, type ReduceEntry, reduceScan } from '../../../../domain/scan/index.js';
import { conflictAnswered } from '../../../../domain/scan/verdict/answered.js';
import type { FindingRow } from '../../../../domain/tables.js';
import { NO_TAGS } from '../../../../domain/tags.js';
import { classValue, drawCar, mistaken, replaced, scheme, seen } from '../scene.js';

const SIZE = 96;
const config = scanConfigSchema.parse({});

/** Forty cars; nothing is labelled in the first two, and one part is missing in the next four. */
function chunk(): ReduceEntry[] {
  const random = seededRandom('answers');
  return Array.from({ length: 40 }, (_, index) => {
    const truth = drawCar(SIZE, random);
    const { mask, confidence } = mistaken(truth, SIZE, random);
    const label = index < 2 ? new Uint8Array(truth.length) : index < 6 ? replaced(truth, classValue('hood'), 0) : truth;
    return {
      imageId: index.toString(16).padStart(64, '0'),
      fileName: `${index}.jpg`,
      labelSha256: 'b'.repeat(64),
      model: 'model',
      tags: NO_TAGS,
      analysis: analyseWithInjection(
        seen(label, mask, SIZE, confidence),
        scheme,
        NO_TAGS,
        seededRandom('injection', index),
      ),
    };
  });
}

const answer = (finding: FindingRow, verdict: Verdict['verdict']): Verdict =>
  verdictSchema.parse({
    ...finding,
    ...{ propensity: null, verdict, correctedSha256: null, reviewer: null, comment: null },
    reviewedAt: '2026-01-01T00:00:00Z',
  });

describe('a scan after a review', () => {
  const entries = chunk();
  const before = reduceScan(entries, scheme, config, null);
  const again = (verdicts: Verdict[]) => reduceScan(entries, scheme, config, null, silencer(verdicts));
  const first = before.images.find(({ quarantined }) => quarantined);
  const own = before.findings.filter(({ imageId }) => imageId === first?.imageId);

  it('takes an image back if reviewers found the label right at all its findings, and reports none of them', () => {
    assert.ok(first !== undefined && own.length > 0);
    const after = again(own.map((finding) => answer(finding, 'right')));
    const image = after.images.find(({ imageId }) => imageId === first.imageId);
    assert.equal(image?.quarantined, false);
    assert.ok((image?.pMislabelled ?? 1) < first.pMislabelled);
    const ids = new Set(own.map(({ findingId }) => findingId));
    assert.ok(after.findings.every(({ findingId }) => !ids.has(findingId)));
  });

  it('says the same as before about every other image', () => {
    const after = again(own.map((finding) => answer(finding, 'right')));
    const others = (rows: typeof before.findings) => rows.filter(({ imageId }) => imageId !== first?.imageId);
    assert.deepEqual(others(after.findings), others(before.findings));
  });

  it('still reports findings that reviewers confirmed or were unsure about', () => {
    for (const verdict of ['wrong', 'accept', 'unsure'] as const)
      assert.deepEqual(again(own.map((finding) => answer(finding, verdict))).findings, before.findings);
  });

  it('judges a corrected label again', () => {
    const verdicts = own.map((finding) => answer({ ...finding, labelSha256: 'c'.repeat(64) }, 'right'));
    assert.deepEqual(again(verdicts).findings, before.findings);
  });

  it('believes a reviewer that a label does not contradict its copy', () => {
    const [entry] = entries;
    assert.ok(entry?.analysis);
    const image = { entry, analysis: entry.analysis, candidates: [], pMislabelled: 1 };
    const whole = { ...own[0], findingId: 'copy', kind: 'duplicate_conflict' as const, x0: 0, y0: 0, x1: 1, y1: 1 };
    assert.equal(conflictAnswered(image, silencer([])), false);
    assert.equal(conflictAnswered(image, silencer([answer({ ...(own[0] as FindingRow), ...whole }, 'right')])), true);
  });
});

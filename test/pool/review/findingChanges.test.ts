import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ManifestFinding } from '../../../formats/manifest.js';
import { correctedFindings } from '../../../pool/review/findingChanges.js';
import { readReviews } from '../../../storage/reviews.js';
import { clock, desk, draw, within } from './desk.js';
import { finding, manifestImage } from './kit.js';
import { missingPart, scannedPool } from './scannedPool.js';

const SIDE = 100;
const square = (at: (x: number, y: number) => number): Uint8Array =>
  Uint8Array.from({ length: SIDE * SIDE }, (_, pixel) => at(pixel % SIDE, Math.floor(pixel / SIDE)));
/** Class 1 above, class 2 below, nothing to the right. */
const BEFORE = square((x, y) => (x >= 90 ? 0 : y < 50 ? 1 : 2));

const whole = (kind: ManifestFinding['kind'], areaShare = 0.9): ManifestFinding =>
  finding(1, { findingId: kind, kind, classId: 0, suggestedClassId: null, box: [0, 0, 1, 1], areaShare });
const missing = finding(1, {
  ...{ findingId: 'missing', classId: 0, suggestedClassId: 3, box: [0.9, 0, 1, 0.2], areaShare: 0.02 },
});

/** Ids of the findings that a corrected label answers. */
function answered(findings: ManifestFinding[], after: Uint8Array): string[] {
  const image = manifestImage(1, { width: SIDE, height: SIDE, findings });
  return correctedFindings(image, BEFORE, after).map(({ findingId }) => findingId);
}

describe('findings that a corrected label answers', function () {
  this.timeout(60_000);

  const MISSING_DRAWN = square((x, y) => (within(x, y, 90, 0, 100, 20) ? 3 : (BEFORE[y * SIDE + x] as number)));
  /** A tenth of the picture has another class. */
  const TENTH = square((x, y) => (within(x, y, 0, 40, 90, 50) ? 2 : (BEFORE[y * SIDE + x] as number)));
  /** Five pixels of the edge between the classes. */
  const RETOUCHED = square((x, y) => (y === 49 && x < 5 ? 2 : (BEFORE[y * SIDE + x] as number)));

  for (const kind of ['mirrored', 'shifted', 'empty_label', 'bad_outline'] as const)
    it(`include those of ${kind} labels, however small the wrong share of the label was`, () => {
      assert.deepEqual(answered([whole(kind)], TENTH), [kind]);
      assert.deepEqual(answered([whole(kind)], RETOUCHED), []);
      assert.deepEqual(answered([whole(kind)], BEFORE), []);
    });

  it('include conflicts between equal pictures, which have no area, but not for a retouched edge', () => {
    assert.deepEqual(answered([whole('duplicate_conflict', 0)], TENTH), ['duplicate_conflict']);
    assert.deepEqual(answered([whole('duplicate_conflict', 0)], RETOUCHED), []);
  });

  it('do not include those of the whole label if a local finding explains the entire change', () => {
    assert.deepEqual(answered([whole('mirrored'), missing], MISSING_DRAWN), ['missing']);
    const both = MISSING_DRAWN.map((value, pixel) =>
      TENTH[pixel] === BEFORE[pixel] ? value : (TENTH[pixel] as number),
    );
    assert.deepEqual(answered([whole('mirrored'), missing], both), ['mirrored', 'missing']);
  });

  it('get the verdict "wrong" when the label comes back', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'partloop-whole-'));
    try {
      const cars = await scannedPool(1, {
        findings: (image) => [
          missingPart(image, { kind: 'mirrored', suggestedClassId: null, proposal: null, x1: 1, areaShare: 0.5 }),
        ],
      });
      const { returned, take } = await desk(cars.store, folder, 'masks', clock());
      const corrected = draw((x, y) => (x < 20 ? 0 : within(x, y, 36, 0, 40, 10) ? 2 : 1));
      const report = await take(await returned({ 1: corrected }));
      assert.deepEqual([report.changed, report.verdicts], [1, 1]);
      const { verdicts } = await readReviews(cars.store, 'cars');
      const { labelSha256 } = (await cars.now(1)).row;
      assert.deepEqual(
        verdicts.map(({ kind, verdict, correctedSha256 }) => [kind, verdict, correctedSha256]),
        [['mirrored', 'wrong', labelSha256]],
      );
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

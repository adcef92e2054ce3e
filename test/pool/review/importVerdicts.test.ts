import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { IndexRow } from '../../../domain/tables.js';
import { importVerdicts, type VerdictImportReport } from '../../../pool/review/importVerdicts.js';
import { readReviews } from '../../../storage/reviews.js';
import { idOf } from '../../domain/sample/rows.js';
import { clock } from './desk.js';
import { halfLabel, missingPart, SCAN, type ScannedPool, scannedPool, WIDTH } from './scannedPool.js';

describe('answers to findings', () => {
  let folder: string;
  let cars: ScannedPool;
  let now: () => Date;

  /** Import a file of these lines. */
  async function answer(lines: string[], more: { scan?: string; pool?: string } = {}): Promise<VerdictImportReport> {
    const path = join(folder, 'answers.csv');
    await writeFile(path, `${lines.join('\n')}\n`);
    return importVerdicts(cars.store, { path, reviewer: 'ann', now: now(), ...more });
  }
  const verdicts = async () => (await readReviews(cars.store, 'cars')).verdicts;

  /** The first label is again the one before all reviews. */
  const putBack = (change: IndexRow['change']) =>
    cars.pool.append(() => [{ ...(cars.images[0] as IndexRow), labelRevision: 9, change }]);

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'partloop-verdicts-'));
    cars = await scannedPool(2);
    now = clock();
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('are appended, and only an accepted proposal becomes a new revision of the label', async () => {
    const report = await answer([
      'finding_id,verdict,comment',
      'f-car-1.jpg,accept,"yes, missing"',
      'f-car-2.jpg,Right,',
    ]);
    assert.deepEqual([report.pool, report.answered, report.verdicts, report.revised], ['cars', 2, 2, 1]);
    assert.deepEqual([report.refused, report.notApplied, report.unanswered], [[], [], null]);
    const { row, label } = await cars.now(1);
    assert.deepEqual(
      (await verdicts()).map(({ verdict, reviewer, comment, reviewedAt, correctedSha256 }) => [
        ...[verdict, reviewer, comment, reviewedAt, correctedSha256],
      ]),
      [
        ['accept', 'ann', 'yes, missing', clock()().toISOString(), row.labelSha256],
        ['right', 'ann', null, clock()().toISOString(), null],
      ],
    );
    assert.equal(row.labelRevision, (cars.images[0]?.labelRevision ?? 0) + 1);
    assert.ok(label.every((value, pixel) => value === (pixel % WIDTH < WIDTH / 2 ? 3 : 1)));
    assert.deepEqual(row.classes, [1, 3]);
    assert.deepEqual((await cars.now(2)).row, cars.images[1]);
    // The label that was corrected stays where it was.
    assert.ok((await cars.store.head(cars.images[0]?.labelUri ?? '')) !== null);
  });

  it('find their finding by the columns of findings.csv, and rows without an answer are skipped', async () => {
    const row = (number: number): string => `${idOf(number)},missing_part,background,mirror,0 0 20 20`;
    const header = 'image_id,kind,class,suggested_class,bbox,verdict';
    const report = await answer([header, `${row(1)},wrong`, `${row(2)},`], { scan: SCAN });
    assert.deepEqual([report.answered, report.revised, report.unanswered], [1, 0, 1]);
    assert.deepEqual(
      (await verdicts()).map(({ findingId, verdict }) => [findingId, verdict]),
      [['f-car-1.jpg', 'wrong']],
    );
  });

  it('may come from a spreadsheet, with semicolons and a byte order mark', async () => {
    const report = await answer(['\uFEFFfinding_id;verdict;reviewer', 'f-car-1.jpg;unsure;bob']);
    assert.deepEqual([report.answered, report.refused], [1, []]);
    assert.equal((await verdicts())[0]?.reviewer, 'bob');
  });

  it('correct no label twice, and say nothing twice', async () => {
    const lines = ['finding_id,verdict', 'f-car-1.jpg,accept'];
    const first = await answer(lines);
    const again = await answer(lines);
    assert.deepEqual([again.answered, again.verdicts, again.revised, again.version], [1, 0, 0, first.version]);
    assert.equal((await verdicts()).length, 1);
  });

  it('do not restore an accepted proposal that was corrected further since', async () => {
    const lines = ['finding_id,verdict', 'f-car-1.jpg,accept'];
    await answer(lines);
    await putBack('review');
    const again = await answer(lines);
    assert.deepEqual([again.revised, again.review], [0, null]);
    assert.deepEqual((await cars.now(1)).label, halfLabel());
  });

  for (const change of ['import', 'relabel', 'undo'] as const) {
    it(`are applied again if the label that they are about came back by ${change}`, async () => {
      const lines = ['finding_id,verdict', 'f-car-1.jpg,accept'];
      await answer(lines);
      const { label } = await cars.now(1);
      await putBack(change);
      assert.equal((await answer(lines)).revised, 1);
      assert.deepEqual((await cars.now(1)).label, label);
      assert.deepEqual((await answer(lines)).review, null);
    });
  }

  it('yield to newer ones if the same table comes once more', async () => {
    const accepted = ['finding_id,verdict', 'f-car-1.jpg,accept'];
    await answer(accepted);
    await putBack('import');
    await answer(['finding_id,verdict', 'f-car-1.jpg,right']);
    const again = await answer(accepted);
    assert.deepEqual([again.verdicts, again.revised, again.review], [0, 0, null]);
    assert.equal((await verdicts()).at(-1)?.verdict, 'right');
    assert.deepEqual((await cars.now(1)).label, halfLabel());
  });

  it('are applied one after the other if a label has several, also on different days', async () => {
    cars = await scannedPool(1, {
      findings: (image) => [
        missingPart(image),
        missingPart(image, {
          findingId: 'extra',
          kind: 'extra_part',
          classId: 1,
          suggestedClassId: 0,
          x0: 0.5,
          x1: 1,
          proposal: JSON.stringify({ size: [1, 2], counts: [1, 1] }),
        }),
      ],
    });
    await answer(['finding_id,verdict', 'f-car-1.jpg,accept']);
    const report = await answer(['finding_id,verdict', 'extra,accept']);
    assert.deepEqual([report.revised, report.notApplied], [1, []]);
    const { row, label } = await cars.now(1);
    assert.ok(label.every((value, pixel) => value === (pixel % WIDTH < WIDTH / 2 ? 3 : 0)));
    assert.equal(row.labelRevision, 3);
  });

  it('count if there is nothing to apply, and say that the label stays', async () => {
    cars = await scannedPool(1, { findings: (image) => [missingPart(image, { kind: 'mirrored', proposal: null })] });
    const report = await answer(['finding_id,verdict', 'f-car-1.jpg,accept']);
    assert.deepEqual([report.verdicts, report.revised, report.notApplied.length], [1, 0, 1]);
    assert.match(report.notApplied[0]?.reason ?? '', /a mirrored proposes no mask; correct the label of car-1\.jpg/);
  });

  it('are refused row by row if they name no finding or no verdict', async () => {
    const lines = ['finding_id,verdict', 'f-other,wrong', 'f-car-1.jpg,maybe', 'f-car-2.jpg,unsure'];
    const { verdicts: taken, refused } = await answer(lines);
    assert.equal(taken, 1);
    assert.deepEqual(
      refused.map(({ row }) => row),
      [1, 2],
    );
    assert.match(refused[0]?.reason ?? '', /no scan of pool cars has such a finding/);
    assert.match(refused[1]?.reason ?? '', /`maybe` is none of wrong, accept, right, unsure/);
  });

  it('are all refused if the table lacks its columns, or the scan is of another pool', async () => {
    await assert.rejects(answer(['finding,answer', 'x,y']), /has the columns finding, answer/);
    await assert.rejects(answer(['finding_id,verdict'], { scan: SCAN, pool: 'vans' }), /of pool `cars`, not `vans`/);
    await assert.rejects(answer(['finding_id,verdict'], { scan: 'scan-none' }), /no finished scan `scan-none`/);
  });
});

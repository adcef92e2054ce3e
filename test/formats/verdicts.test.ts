import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeRle } from '../../domain/geometry/rle.js';
import { type FindingRow, findingRowSchema, type IndexRow } from '../../domain/tables.js';
import { dsmlr18 } from '../../domain/taxonomies/dsmlr18.js';
import { importVerdicts } from '../../formats/verdicts.js';
import { keys } from '../../storage/keys.js';
import { decodeLabel, encodeLabel } from '../../storage/labelMask.js';
import type { ObjectStore } from '../../storage/objectStore.js';
import { openPool, type Pool } from '../../storage/pool.js';
import { readVerdicts } from '../../storage/reviews.js';
import type { FoundScan } from '../../storage/scans.js';
import { writeTable } from '../../storage/table.js';
import { idOf, indexRow } from '../domain/sampling/rows.js';
import { memoryStore } from '../support/memoryStore.js';

const [WIDTH, HEIGHT] = [40, 20];
const NOW = new Date('2026-02-03T04:05:06Z');
const OPTIONS = { reviewer: 'ann', now: NOW };

/** A finding on the left half of an image: something is missing that is class 3. */
function missingPart(image: IndexRow, fields: Partial<FindingRow> = {}): FindingRow {
  const counts = encodeRle((pixel) => pixel % 20 < 10, { x0: 0, y0: 0, x1: 20, y1: 10 }, 20, 10);
  return findingRowSchema.parse({
    ...{ findingId: `f-${image.fileName}`, imageId: image.imageId, fileName: image.fileName },
    ...{ labelSha256: image.labelSha256, kind: 'missing_part', classId: 0, suggestedClassId: 3 },
    ...{ areaPx: 100, areaShare: 0.5, pWrong: 0.8, x0: 0, y0: 0, x1: 0.5, y1: 1, evidence: '{}' },
    proposal: JSON.stringify({ size: [10, 20], counts }),
    ...fields,
  });
}

describe('answers to findings', () => {
  let folder: string;
  let store: ObjectStore;
  let pool: Pool;
  let images: IndexRow[];
  let scan: FoundScan;
  let file: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'partloop-verdicts-'));
    file = join(folder, 'answers.csv');
    store = memoryStore();
    await store.put(keys.taxonomy('cars'), JSON.stringify(dsmlr18));
    const label = await encodeLabel(new Uint8Array(WIDTH * HEIGHT).fill(1), WIDTH, HEIGHT);
    const labelSha256 = createHash('sha256').update(label).digest('hex');
    const labelUri = keys.label('cars', labelSha256);
    await store.put(labelUri, label);
    images = [1, 2].map((n) => indexRow(n, { labelUri, labelSha256, width: WIDTH, height: HEIGHT }));
    pool = await openPool(store, 'cars');
    const poolVersion = await pool.appendRows(images);
    const findings = images.map((image) => missingPart(image));
    await writeTable(store, 'findings.parquet', findings, findingRowSchema);
    scan = {
      ...{ id: 'scan-cars', pool: 'cars', poolVersion, seconds: 1 },
      ...{ images: 'images.parquet', findings: 'findings.parquet', summary: 'summary.json' },
    };
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('are appended, and an accepted proposal becomes a new revision of the label alone', async () => {
    await writeFile(file, 'finding_id,verdict,comment\nf-car-1.jpg,accept,"yes, missing"\nf-car-2.jpg,Right,\n');
    const report = await importVerdicts(store, scan, file, OPTIONS);
    assert.deepEqual([report.verdicts, report.corrected, report.unanswered, report.refused], [2, 1, 0, []]);

    const { verdicts } = await readVerdicts(store, 'cars');
    assert.deepEqual(
      verdicts.map(({ verdict, reviewer, comment, reviewedAt }) => [verdict, reviewer, comment, reviewedAt]),
      [
        ['accept', 'ann', 'yes, missing', NOW.toISOString()],
        ['right', 'ann', null, NOW.toISOString()],
      ],
    );
    const [first, second] = await pool.readIndex(report.poolVersion);
    assert.deepEqual(second, images[1]);
    assert.equal(first?.labelRevision, (images[0]?.labelRevision ?? 0) + 1);
    const { pixels } = await decodeLabel((await store.get(first?.labelUri ?? '')).body);
    assert.ok(pixels.every((value, pixel) => value === (pixel % WIDTH < WIDTH / 2 ? 3 : 1)));
    assert.deepEqual(first?.classes, [1, 3]);
    // The label that was corrected stays where it was.
    assert.ok((await store.head(images[0]?.labelUri ?? '')) !== null);
  });

  it('are found by what findings.csv says of them, and rows without an answer are passed over', async () => {
    const part = dsmlr18.classes[2]?.name;
    const row = (id: string): string => `${id},missing_part,background,${part},0 0 20 20`;
    const header = 'image_id,kind,class,suggested_class,bbox,verdict';
    await writeFile(file, `${header}\n${row(idOf(1))},wrong\n${row(idOf(2))},\n`);
    const report = await importVerdicts(store, scan, file, OPTIONS);
    assert.deepEqual([report.verdicts, report.corrected, report.unanswered], [1, 0, 1]);
  });

  it('correct no label twice, and say so', async () => {
    await writeFile(file, 'finding_id,verdict\nf-car-1.jpg,accept\n');
    await importVerdicts(store, scan, file, OPTIONS);
    const again = await importVerdicts(store, scan, file, OPTIONS);
    assert.deepEqual([again.corrected, again.refused.length], [0, 1]);
    assert.match(again.refused[0]?.reason ?? '', /changed since the scan/);
  });

  it('are refused row by row where they name no finding or no verdict', async () => {
    await writeFile(file, 'finding_id,verdict\nf-other,wrong\nf-car-1.jpg,maybe\nf-car-2.jpg,unsure\n');
    const { verdicts, refused } = await importVerdicts(store, scan, file, OPTIONS);
    assert.equal(verdicts, 1);
    assert.deepEqual(
      refused.map(({ row }) => row),
      [1, 2],
    );
    assert.match(refused[1]?.reason ?? '', /`maybe` is none of wrong, accept, right, unsure/);
  });

  it('are refused as a whole where the table lacks its columns', async () => {
    await writeFile(file, 'finding,answer\nx,y\n');
    await assert.rejects(importVerdicts(store, scan, file, OPTIONS), /has the columns finding, answer/);
  });
});

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FindingTable } from '../../board/findingTable.js';
import { type FindingRow, findingRowSchema, type IndexRow } from '../../domain/tables.js';
import { TAG_NAMES } from '../../domain/tags.js';
import { writeTableFile } from '../../storage/tables/table.js';
import { missingPart, scannedPool } from '../pool/review/scannedPool.js';

describe('what the board keeps by column', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'partloop-columns-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  async function written(rows: FindingRow[]): Promise<string> {
    const path = join(folder, 'findings.parquet');
    await writeTableFile(path, 'parquet', rows, findingRowSchema);
    return path;
  }

  it('of findings is what their table says', async () => {
    const { images } = await scannedPool(3);
    const rows = images.flatMap((image, at) => [
      missingPart(image, { pWrong: at / 3, areaShare: at / 7 }),
      missingPart(image, { findingId: `second-${at}`, kind: 'bad_outline', classId: 2, suggestedClassId: null }),
    ]);
    const table = await FindingTable.read(await written(rows), 'findings');
    assert.equal(table.count, rows.length);
    for (const [place, row] of rows.entries()) {
      const { findingId, imageId, kind, classId, suggestedClassId, pWrong, areaShare } = row;
      assert.deepEqual(table.at(place), { findingId, imageId, kind, classId, suggestedClassId, pWrong, areaShare });
      assert.equal(table.placeOf(findingId), place);
    }
    assert.deepEqual(
      table.imageIds,
      images.map(({ imageId }) => imageId),
    );
    assert.deepEqual(table.kinds(), new Set(['missing_part', 'bad_outline']));
  });

  it('of findings is refused with the name of the table if a row cannot be', async () => {
    const { images } = await scannedPool(1);
    const [image] = images;
    assert.ok(image !== undefined);
    for (const fault of [{ kind: 'no_kind' }, { pWrong: 2 }, { imageId: 'not a digest' }, { classId: -3 }]) {
      const row = { ...missingPart(image), ...fault } as FindingRow;
      await assert.rejects(FindingTable.read(await written([row]), 'the table'), /the table, row 0/);
    }
  });

  it('of images is what the newest rows of the pool say, without removed ones', async () => {
    const { pool, images } = await scannedPool(4, {
      image: (at) => ({ angle: at === 0 ? 45 : null, black: at === 1, imageEtag: at === 2 ? 'etag' : null }),
    });
    const [first, second] = images;
    assert.ok(first !== undefined && second !== undefined);
    const newer = { ...first, labelRevision: 2, labelSha256: 'a'.repeat(64), labelUri: 'elsewhere', classes: [2] };
    const removed = { ...second, labelRevision: 2, removedAt: '2026-02-01T00:00:00.000Z' };
    const { version } = await pool.append(() => [newer, removed]);
    const ids = images.map(({ imageId }) => imageId);
    const shown = await pool.readShown(version, [...ids, 'f'.repeat(64)]);
    const whole = new Map((await pool.readIndex(version)).map((row) => [row.imageId, row]));
    for (const id of ids) assert.deepEqual(shown.of(id), partOf(whole.get(id)));
    assert.equal(shown.of(second.imageId), null);
    assert.equal(shown.of('f'.repeat(64)), null);
    const counts = new Map<number, number>();
    for (const { classes } of whole.values()) for (const one of classes) counts.set(one, (counts.get(one) ?? 0) + 1);
    assert.deepEqual(shown.countClasses(), counts);
  });
});

function partOf(row: IndexRow | undefined): unknown {
  if (row === undefined) return null;
  const { imageId, fileName, imageUri, imageEtag, labelUri, labelSha256, width, height } = row;
  const tags = Object.fromEntries(TAG_NAMES.map((name) => [name, row[name]]));
  return { imageId, fileName, imageUri, imageEtag, labelUri, labelSha256, width, height, ...tags };
}

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { exportedFindingSchema } from '../../../domain/scan/export.js';
import { guardedCell, unguardedCell } from '../../../storage/tables/csvCells.js';
import { readCsvFile, writeTableFile } from '../../../storage/tables/table.js';

const finding = (file_name: string) => ({
  image_id: 'a'.repeat(64),
  file_name,
  kind: 'missing_part',
  class: 'background',
  suggested_class: 'hood',
  area_px: 12,
  p_wrong: 0.5,
  bbox: '0 0 3 4',
});

describe('a cell of a CSV file', () => {
  it('is never one that a spreadsheet runs', () => {
    for (const name of ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '＝1', '\n=1'])
      assert.equal(guardedCell(name), `'${name}`);
    for (const name of ['a=1.jpg', "it's.jpg", '', "'quoted'.jpg", ' =1']) assert.equal(guardedCell(name), name);
  });

  it('reads back as the same text, whatever it begins with', () => {
    const cell = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.tuple(fc.stringMatching(/^'{0,3}[=+\-@\t\r\n＝']{0,3}$/), fc.string()).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(cell, (text) => {
        assert.equal(unguardedCell(guardedCell(text)), text);
        assert.doesNotMatch(guardedCell(text), /^[=+\-@\t\r\n＝＋－＠]/);
      }),
    );
  });

  it('goes through a file and back', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'partloop-csv-'));
    try {
      const path = join(folder, 'findings.csv');
      const names = [
        '=cmd|calc!A0.jpg',
        "'=already.jpg",
        '-1.png',
        '@a, "b".jpg',
        '+\n2.jpg',
        'plain.jpg',
        "'plain.jpg",
      ];
      await writeTableFile(path, 'csv', names.map(finding), exportedFindingSchema);
      assert.match(await readFile(path, 'utf8'), /^\S+,'=cmd\|calc!A0\.jpg,/m);
      const rows = await readCsvFile(path);
      assert.deepEqual(
        rows.map((row) => row.file_name),
        names,
      );
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

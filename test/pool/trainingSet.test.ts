import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type IndexRow, type TrainingRow, trainingRowSchema } from '../../domain/tables.js';
import { readTrainingSet } from '../../pool/trainingSet.js';
import { keys } from '../../storage/keys.js';
import { PackedTraining } from '../../storage/packed/packedTraining.js';
import { openPool } from '../../storage/pool/pool.js';
import { writeTable } from '../../storage/tables/table.js';
import { idOf, indexRow, TAXONOMY } from '../domain/sample/rows.js';
import { memoryStore } from '../support/standIns/memoryStore.js';

const KEY = 'earlier.parquet';
const picked = (n: number, fields: Partial<IndexRow> = {}): TrainingRow => ({
  ...indexRow(n, { labelRevision: 0, ...fields }),
  ...{ cluster: idOf(n % 3), pickedIn: n },
});

/** A pool with some segments, and a training set of its images 1 to 5. */
async function readWith(...segments: IndexRow[][]): Promise<{ rows: TrainingRow[]; earlier: number }> {
  const store = memoryStore();
  await store.put(keys.taxonomy('cars'), JSON.stringify(TAXONOMY));
  const pool = await openPool(store, 'cars');
  for (const rows of segments) await pool.append(() => rows);
  await writeTable(
    store,
    KEY,
    [1, 2, 3, 4, 5].map((n) => picked(n)),
    trainingRowSchema,
  );
  const version = await pool.latestVersion();
  const index = await pool.readDrawColumns(version);
  const { rows, earlier } = await readTrainingSet(store, { pool, version, index }, KEY, new Set([idOf(5)]));
  return { rows: [...rows], earlier };
}

describe('the training set of an earlier iteration', () => {
  const first = [1, 2, 3, 4, 5].map((n) => indexRow(n, { labelRevision: 0 }));

  it('is read as the pool has it now, with newer labels at their places', async () => {
    const relabelled = indexRow(2, { labelRevision: 1, labelSha256: idOf(99), labelUri: 'labels/99' });
    const moved = indexRow(3, { labelRevision: 1, split: 'test' });
    const removed = indexRow(4, { labelRevision: 1, removedAt: '2026-01-02T00:00:00.000Z' });
    const { rows, earlier } = await readWith(first, [relabelled, moved, removed]);
    assert.deepEqual(rows, [picked(1), { ...relabelled, cluster: idOf(2), pickedIn: 2 }]);
    assert.equal(earlier, 5);
  });

  it('is the same as before if nothing has changed but quarantine', async () => {
    const { rows } = await readWith(first);
    assert.deepEqual(
      rows,
      [1, 2, 3, 4].map((n) => picked(n)),
    );
  });

  it('comes out of its packed form as it went in', () => {
    const numbers = fc.uniqueArray(fc.integer({ min: 0, max: 500 }), { maxLength: 60 });
    fc.assert(
      fc.property(numbers, fc.string(), (all, fileName) => {
        const rows = all.map((n) => picked(n, { fileName, classes: [1, n], vehicleId: n % 2 ? null : `car ${n}` }));
        const packed = new PackedTraining();
        for (const row of rows) packed.push(row);
        assert.deepEqual([...packed], rows);
        assert.deepEqual([...packed], rows, 'also a second time');
        assert.equal(packed.count, rows.length);
        for (const n of [0, 250, 501]) assert.equal(packed.has(idOf(n)), all.includes(n));
      }),
    );
  });
});

import assert from 'node:assert/strict';
import { randomOrder } from '../../domain/sample/randomOrder.js';
import { type ChunkRow, chunkRowSchema, type IndexRow, trainingRowSchema } from '../../domain/tables.js';
import { readControlSet } from '../../pool/controlSet.js';
import { keys } from '../../storage/keys.js';
import { openPool } from '../../storage/pool/pool.js';
import { writeTable } from '../../storage/tables/table.js';
import { chunkRow, idOf, indexRow, TAXONOMY } from '../domain/sample/rows.js';
import { memoryStore } from '../support/standIns/memoryStore.js';

const SEED = 4;
const drawn = Array.from({ length: 20 }, (_, n) => chunkRow(n, { labelRevision: 0, cluster: idOf(100 + n) }));
const ORDER = randomOrder(
  drawn.map(({ imageId }) => imageId),
  SEED,
  1,
);
const row = (place: number): IndexRow => {
  const { cluster: _, ...found } = drawn.find(({ imageId }) => imageId === ORDER[place]) as ChunkRow;
  return found;
};

/** The control beside a training set of 6 of the 20 drawn images, after some changes of the pool. */
async function controlAfter(...changed: IndexRow[]): Promise<ChunkRow[]> {
  const store = memoryStore();
  await store.put(keys.taxonomy('cars'), JSON.stringify(TAXONOMY));
  const pool = await openPool(store, 'cars');
  await pool.append(() => drawn.map(({ cluster: _, ...rest }) => rest));
  if (changed.length > 0) await pool.append(() => changed);
  await writeTable(store, 'chunk.parquet', drawn, chunkRowSchema);
  const picks = drawn.slice(0, 6).map((one) => ({ ...one, pickedIn: 1 }));
  await writeTable(store, 'training-set.parquet', picks, trainingRowSchema);
  const chunks = [{ iteration: 1, seed: SEED, chunk: 'chunk.parquet' }];
  return readControlSet(store, { pool, version: await pool.latestVersion() }, chunks, 'training-set.parquet');
}
const ids = (rows: readonly { imageId: string }[]): string[] => rows.map(({ imageId }) => imageId);

describe('the images of a control', () => {
  it('are rows of the pool in order of image id, each with its group of near duplicates', async () => {
    const rows = await controlAfter();
    assert.deepEqual(ids(rows), ORDER.slice(0, 6).sort());
    assert.deepEqual(
      rows,
      drawn.filter(({ imageId }) => ids(rows).includes(imageId)),
    );
  });

  it('have the newest labels of the pool', async () => {
    const relabelled = { ...row(2), labelRevision: 1, labelSha256: idOf(99), labelUri: 'labels/99' };
    const rows = await controlAfter(relabelled);
    assert.deepEqual(ids(rows), ORDER.slice(0, 6).sort());
    assert.equal(rows.find(({ imageId }) => imageId === ORDER[2])?.labelSha256, idOf(99));
  });

  it('are without removed ones, those that moved to test, and those that share a vehicle with it', async () => {
    const removed = { ...row(0), labelRevision: 1, removedAt: '2026-01-02T00:00:00.000Z' };
    const moved = { ...row(1), labelRevision: 1, split: 'test' as const };
    const shared = { ...row(2), labelRevision: 1, vehicleId: 'car 7' };
    const test = indexRow(500, { split: 'test', vehicleId: 'car 7' });
    assert.deepEqual(ids(await controlAfter(removed, moved, shared, test)), ORDER.slice(3, 9).sort());
  });
});

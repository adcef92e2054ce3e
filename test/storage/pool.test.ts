import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dsmlr18 } from '../../domain/taxonomies/dsmlr18.js';
import { keys } from '../../storage/keys.js';
import { openPool } from '../../storage/pool.js';
import { memoryStore } from '../support/memoryStore.js';
import { indexRow } from './rows.js';

async function newPool() {
  const store = memoryStore();
  await store.put(keys.taxonomy('cars'), JSON.stringify(dsmlr18));
  return { store, pool: await openPool(store, 'cars') };
}

describe('a pool', function () {
  this.timeout(60_000);

  it('keeps its earlier versions as they were', async () => {
    const { pool } = await newPool();
    assert.equal(await pool.latestVersion(), 0);
    assert.equal(await pool.appendRows([indexRow(1), indexRow(2)]), 1);
    assert.equal(await pool.appendRows([indexRow(3)]), 2);
    assert.equal((await pool.readIndex(1)).length, 2);
    assert.equal((await pool.readIndex(2)).length, 3);
    assert.deepEqual(await pool.readIndex(0), []);
  });

  it('shows the latest revision of a label, whichever came in first', async () => {
    const { pool } = await newPool();
    await pool.appendRows([indexRow(1, { labelRevision: 1, labelSha256: 'b'.repeat(64) })]);
    await pool.appendRows([indexRow(1, { labelRevision: 0 })]);
    const [row] = await pool.readIndex(await pool.latestVersion());
    assert.equal(row?.labelRevision, 1);
  });

  it('takes the rows of importers that race, each once', async () => {
    const { store } = await newPool();
    const importers = await Promise.all(Array.from({ length: 4 }, () => openPool(store, 'cars')));
    await Promise.all(importers.map((pool, number) => pool.appendRows([indexRow(number), indexRow(9)], 0)));
    const pool = await openPool(store, 'cars');
    const rows = await pool.readIndex(await pool.latestVersion());
    assert.deepEqual(rows.map(({ fileName }) => fileName).sort(), ['0.jpg', '1.jpg', '2.jpg', '3.jpg', '9.jpg']);
  });

  it('makes no version of a race in which another brought the same', async () => {
    const { store } = await newPool();
    const [one, two] = [await openPool(store, 'cars'), await openPool(store, 'cars')];
    await Promise.all([one.appendRows([indexRow(1)], 0), two.appendRows([indexRow(1)], 0)]);
    assert.equal(await one.latestVersion(), 1);
  });

  it('keeps both labels of a race as revisions', async () => {
    const { store } = await newPool();
    const [one, two] = [await openPool(store, 'cars'), await openPool(store, 'cars')];
    await Promise.all([
      one.appendRows([indexRow(1, { labelSha256: 'a'.repeat(64) })], 0),
      two.appendRows([indexRow(1, { labelSha256: 'b'.repeat(64) })], 0),
    ]);
    const [row] = await one.readIndex(await one.latestVersion());
    assert.equal(row?.labelRevision, 1);
  });

  it('asks the store for a segment once where it may keep it', async () => {
    const { store } = await newPool();
    const cacheFolder = await mkdtemp(join(tmpdir(), 'pl-'));
    try {
      const pool = await openPool(store, 'cars', { cacheFolder });
      await pool.appendRows([indexRow(1), indexRow(2)]);
      const first = await pool.readIndex(1);
      const segments = store.keys.filter((key) => key.includes('/segments/'));
      await store.delete(segments);
      assert.deepEqual(await pool.readIndex(1), first);
      assert.equal((await readdir(cacheFolder)).length, 1);
    } finally {
      await rm(cacheFolder, { recursive: true, force: true });
    }
  });

  it('that is not there is told with those that are', async () => {
    const { store } = await newPool();
    await assert.rejects(openPool(store, 'vans'), /there is no pool `vans`; pools: cars/);
  });
});

import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loopConfigSchema } from '../../../domain/config.js';
import { emptyLoopState, withAttempt } from '../../../domain/loop/state.js';
import { deletePool } from '../../../pool/delete/deletePool.js';
import { planDeletion } from '../../../pool/delete/planDeletion.js';
import { importImages } from '../../../pool/import/importImages.js';
import { keys } from '../../../storage/keys.js';
import type { ObjectStore } from '../../../storage/objects/objectStore.js';
import { listPools, openPool } from '../../../storage/pool/pool.js';
import { TAXONOMY } from '../../support/pictures/pictures.js';
import { startTestStore, type TestStore } from '../../support/servers/s3.js';
import { memoryStore } from '../../support/standIns/memoryStore.js';
import { item, NOW, namesOf } from '../remove/kit.js';

const bring = (store: ObjectStore, pool: string, ...seeds: number[]) =>
  importImages(
    store,
    pool,
    TAXONOMY,
    seeds.map((seed) => item(seed, 1)),
    { now: NOW, onProgress: () => undefined },
  );

const remove = (store: ObjectStore, pool: string, cacheFolder: string | null = null) =>
  deletePool(store, pool, { cacheFolder, now: NOW, onProgress: () => undefined });

async function under(store: ObjectStore, prefix: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of store.list(prefix)) found.push(key);
  return found;
}

/** A store whose deletions fail after the first `requests`. */
const failingAfter = (store: ObjectStore, requests: number): ObjectStore => {
  let done = 0;
  return {
    ...store,
    tryDelete: async (targets) => {
      if (done++ >= requests) throw new Error('the machine is lost');
      return store.tryDelete(targets);
    },
  };
};

describe('deleting a pool', function () {
  this.timeout(120_000);

  it('leaves nothing of it, and does not touch pools with longer and shorter names', async () => {
    const store = memoryStore();
    for (const pool of ['car', 'cars', 'cars-2']) await bring(store, pool, 1, 2);
    await store.put(keys.reviews('cars', '01'), '');
    await store.put(keys.derivativeImage('cars', 640, 'a'), 'x');
    for (const pool of ['cars', 'cars-2'])
      for (const place of ['inbox', 'rejected']) await store.put(`${place}/${pool}/d1/a.jpg`, 'x');
    const others = store.keys.filter((key) => !/^(pools|inbox|rejected)\/cars\//.test(key));
    await remove(store, 'cars');
    assert.deepEqual(store.keys, others);
    assert.deepEqual(await listPools(store), ['car', 'cars-2']);
    assert.deepEqual(await namesOf(await openPool(store, 'cars-2')), ['front/1.jpg', 'front/2.jpg']);
  });

  it('hides the pool from the first request on, and frees its name only with the last', async () => {
    for (let requests = 0; requests < 3; requests++) {
      const store = memoryStore();
      await bring(store, 'cars', 1, 2);
      await assert.rejects(remove(failingAfter(store, requests), 'cars'), /machine is lost/);
      assert.deepEqual(await listPools(store), requests === 0 ? ['cars'] : []);
      if (requests > 0) await assert.rejects(openPool(store, 'cars'), /there is no pool `cars`/);
      await assert.rejects(bring(store, 'cars', 3), { message: /`cars` is being deleted/ });
      if (requests > 0) assert.equal((await planDeletion(store, 'cars', () => undefined)).plan.images, null);
      await remove(store, 'cars');
      assert.deepEqual(store.keys, []);
      assert.equal((await bring(store, 'cars', 3)).version, 1);
    }
  });

  it('names the objects that the store keeps, and frees the name only when they are gone', async () => {
    const store = memoryStore();
    await bring(store, 'cars', 1);
    const [image = ''] = await under(store, 'pools/cars/images/');
    const faulty: ObjectStore = {
      ...store,
      tryDelete: async (targets) => {
        await store.tryDelete(targets.filter((key) => key !== image));
        return targets.includes(image) ? [{ key: image, reason: 'AccessDenied' }] : [];
      },
    };
    await assert.rejects(remove(faulty, 'cars'), {
      message: new RegExp(`these objects are not deleted: ${image} \\(AccessDenied\\)`),
    });
    await assert.rejects(bring(store, 'cars', 1), /is being deleted/);
    await remove(store, 'cars');
    assert.deepEqual(store.keys, []);
  });

  it('stops writers that still have it open, and takes none of their leftovers for a pool', async () => {
    const store = memoryStore();
    await bring(store, 'cars', 1);
    const open = await openPool(store, 'cars');
    const [row] = (await open.history()).images();
    assert.ok(row);
    await remove(store, 'cars');
    await assert.rejects(
      open.append(() => [row]),
      /`cars` was deleted while it was in use/,
    );
    await store.put(keys.catalog('cars', 1), '{}');
    await assert.rejects(bring(store, 'cars', 1), /is being deleted, and part of it still exists/);
  });

  it('lets a new pool of the same name start empty, whatever this machine has cached', async () => {
    const store = memoryStore();
    const folder = await mkdtemp(join(tmpdir(), 'pl-cache-'));
    const cached = { cacheFolder: join(folder, 'segments') };
    try {
      await bring(store, 'cars', 1, 2);
      assert.equal((await (await openPool(store, 'cars', cached)).readIndex(1)).length, 2);
      await remove(store, 'cars', folder);
      assert.deepEqual(await readdir(cached.cacheFolder), []);
      await bring(store, 'cars', 2, 3);
      const again = await openPool(store, 'cars', cached);
      assert.equal(await again.latestVersion(), 1);
      const names = (await again.readIndex(1)).map(({ fileName }) => fileName);
      assert.deepEqual(names.sort(), ['front/2.jpg', 'front/3.jpg']);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('shows no old row from a cache that was not cleared', async () => {
    const store = memoryStore();
    const cacheFolder = await mkdtemp(join(tmpdir(), 'pl-cache-'));
    try {
      await bring(store, 'cars', 1, 2);
      await (await openPool(store, 'cars', { cacheFolder })).readIndex(1);
      await remove(store, 'cars');
      await bring(store, 'cars', 2);
      const again = await openPool(store, 'cars', { cacheFolder });
      assert.deepEqual(
        (await again.readIndex(1)).map(({ fileName }) => fileName),
        ['front/2.jpg'],
      );
    } finally {
      await rm(cacheFolder, { recursive: true, force: true });
    }
  });

  it('lists the loops and scans over the pool, also unfinished ones', async () => {
    const store = memoryStore();
    await bring(store, 'cars', 1, 2);
    const begin = (loop: string, pool: string, iteration: number) =>
      store.put(keys.commit(loop, iteration, 'draw', 'd'), JSON.stringify({ inputs: { pool } }));
    await begin('nightly', 'cars', 1);
    await begin('nightly', 'cars', 2);
    await begin('done', 'cars', 1);
    await begin('vans', 'vans', 1);
    await store.put(keys.attempt('done', 1, 'train', 'd', 't', 'model.json'), '{}');
    const config = loopConfigSchema.parse({ pool: 'cars' });
    const attempt = {
      runId: 'r',
      status: 'finished' as const,
      error: null,
      results: {},
      config,
      force: null,
      recordedAt: '',
    };
    for (const loop of ['nightly', 'done'])
      await store.put(keys.loopState(loop), JSON.stringify(withAttempt(emptyLoopState(loop), 1, attempt)));
    const { plan, poolOfLoop } = await planDeletion(store, 'cars', () => undefined);
    assert.equal(plan.images, 2);
    assert.deepEqual(
      plan.users.map(({ name, models, isOpen }) => [name, models, isOpen]),
      [
        ['done', 1, false],
        ['nightly', 0, true],
      ],
    );
    assert.equal(poolOfLoop.get('vans'), 'vans');
    await assert.rejects(
      planDeletion(store, 'car', () => undefined),
      /there is no pool `car`; pools: cars/,
    );
  });
});

describe('deleting a pool from real S3', function () {
  this.timeout(180_000);
  let server: TestStore;
  before(async () => {
    server = await startTestStore();
  });
  after(() => server.stop());

  it('deletes more objects than one request may name, and touches no other pool', async () => {
    const store = server.open('delete');
    for (const pool of ['car', 'cars', 'cars-2']) await bring(store, pool, 1);
    const numbers = Array.from({ length: 1_100 }, (_, at) => at);
    for (let from = 0; from < numbers.length; from += 50)
      await Promise.all(numbers.slice(from, from + 50).map((at) => store.put(keys.image('cars', `x${at}`), 'x')));
    const others = [...(await under(store, 'pools/car/')), ...(await under(store, 'pools/cars-2/'))];
    assert.ok((await remove(store, 'cars')) > 1_100);
    assert.deepEqual(await under(store, 'pools/'), others.sort());
    assert.equal((await bring(store, 'cars', 2)).version, 1);
    assert.deepEqual(await namesOf(await openPool(store, 'cars')), ['front/2.jpg']);
  });
});

import assert from 'node:assert/strict';
import { PartloopError } from '../../../domain/base/errors.js';
import { compareAndSwap, type Swap } from '../../../storage/objects/compareAndSwap.js';
import type { ObjectStore } from '../../../storage/objects/objectStore.js';
import { memoryStore } from '../../support/standIns/memoryStore.js';

const KEY = 'loops/cars/count.json';

const counting = (store: ObjectStore, by: number): Swap<number, number> => ({
  read: async () => {
    const found = await store.tryGet(KEY);
    return { value: found === null ? 0 : Number(new TextDecoder().decode(found.body)), etag: found?.etag ?? null };
  },
  decide: (value) => ({ body: by === 0 ? null : String(value + by), result: value + by }),
});

describe('a change of one object by conditional writes', () => {
  it('loses nothing that many writers write at once', async () => {
    const store = memoryStore();
    const swaps = Array.from({ length: 8 }, () => compareAndSwap(store, KEY, counting(store, 1)));
    const results = (await Promise.all(swaps)).map(({ result }) => result);
    assert.deepEqual(results.toSorted(), [1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('returns the version that it wrote', async () => {
    const store = memoryStore();
    const { etag } = await compareAndSwap(store, KEY, counting(store, 1));
    assert.equal(etag, (await store.get(KEY)).etag);
  });

  it('writes nothing if nothing is to change', async () => {
    const store = memoryStore();
    assert.deepEqual(await compareAndSwap(store, KEY, counting(store, 0)), { result: 0, etag: null });
    assert.equal(await store.head(KEY), null);
  });

  it('gives up after 20 lost races, and names the key', async () => {
    let races = 0;
    const store: ObjectStore = {
      ...memoryStore(),
      replace: async () => {
        races++;
        return 'conflict';
      },
    };
    await assert.rejects(
      compareAndSwap(store, KEY, { ...counting(store, 1), purpose: 'to count' }),
      new PartloopError('store-conflict', `${KEY} changed under 20 attempts to count`),
    );
    assert.equal(races, 20);
  });
});

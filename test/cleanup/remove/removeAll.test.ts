import assert from 'node:assert/strict';
import { planRemoval, type Removable, type RemovalPlan } from '../../../cleanup/remove/planRemoval.js';
import { removeAll } from '../../../cleanup/remove/removeAll.js';
import { PartloopError } from '../../../domain/base/errors.js';
import type { FailureCode } from '../../../domain/base/failures/failure.js';
import { withConfig } from '../../../domain/loop/state.js';
import { keys } from '../../../storage/keys.js';
import { listLoops, updateLoopState } from '../../../storage/loopState.js';
import type { ObjectStore } from '../../../storage/objects/objectStore.js';
import { registerBenchmark } from '../../../storage/registry.js';
import { testConfig } from '../../support/standIns/fakeActivities.js';
import { memoryStore } from '../../support/standIns/memoryStore.js';
import { context, step, train } from '../gc/kit.js';

const DIGEST = 'a'.repeat(64);
const TAXONOMY = 'b'.repeat(64);
const ignore = (): void => undefined;
const planOf = (store: ObjectStore, kind: Removable, name: string): Promise<RemovalPlan> =>
  planRemoval(store, kind, name, ignore);
const failsWith = (code: FailureCode, words: RegExp) => (error: unknown) =>
  error instanceof PartloopError && error.code === code && words.test(`${error.message} ${error.hint}`);

/** A loop of one iteration; the key of what its training left. */
async function loop(store: ObjectStore, name: string, naming: unknown = 'nothing'): Promise<string> {
  await updateLoopState(store, name, (state) => withConfig(state, testConfig));
  const own = { ...context(1), loop: name };
  await step(store, own, 'draw', naming);
  return String((await train(store, own, 1, { saves: 2 })).outputs.out);
}

async function scan(store: ObjectStore, name: string, naming: unknown = 'nothing'): Promise<void> {
  await step(store, { ...context(1), loop: name }, 'scan', naming);
  await store.put(keys.scan(name), JSON.stringify({ version: 1, scan: name }));
  await store.put(keys.scanModel(name, 'scan.onnx'), 'network');
}

describe('deleting a loop or a scan', () => {
  it('leaves nothing of it, and those with longer and shorter names as they were', async () => {
    const store = memoryStore();
    for (const name of ['car', 'cars', 'cars-2']) await loop(store, name);
    for (const name of ['s', 'sc', 'sc-1']) await scan(store, name);
    await store.put(keys.reviews('cars', '01'), 'answers');
    const others = store.keys.filter((key) => !/^(loops\/cars|loops\/sc|scans\/sc)\//.test(key));
    const plan = await planOf(store, 'loop', 'cars');
    assert.deepEqual([plan.iterations, plan.production, plan.neededBy], [1, [], []]);
    const { objects } = await planOf(store, 'scan', 'sc');
    assert.equal(await removeAll(store, 'loop', 'cars', ignore), plan.objects);
    assert.equal(await removeAll(store, 'scan', 'sc', ignore), objects);
    assert.deepEqual(store.keys, others);
    assert.deepEqual(await listLoops(store), ['car', 'cars-2']);
  });

  it('counts what it would delete', async () => {
    const store = memoryStore();
    await loop(store, 'cars');
    let bytes = 0;
    for await (const { size } of store.list('loops/cars/')) bytes += size;
    const plan = await planOf(store, 'loop', 'cars');
    assert.deepEqual([plan.objects, plan.bytes], [store.keys.length, bytes]);
  });

  it('names loops and scans whose records name objects of it', async () => {
    const store = memoryStore();
    const model = await loop(store, 'cars');
    await loop(store, 'vans', { deep: [{ model }] });
    await scan(store, 'audit', [model]);
    await loop(store, 'alone');
    const { neededBy } = await planOf(store, 'loop', 'cars');
    assert.deepEqual(
      neededBy.map(({ by, kind }) => [by, kind]),
      [
        ['audit', 'scan'],
        ['vans', 'loop'],
      ],
    );
    assert.deepEqual((await planOf(store, 'loop', 'vans')).neededBy, []);
    await store.put(keys.pin('alone', 1, 'benchmark', DIGEST), JSON.stringify({ value: { scan: model } }));
    assert.deepEqual(
      (await planOf(store, 'loop', 'cars')).neededBy.map(({ by }) => by),
      ['alone', 'audit', 'vans'],
    );
  });

  it('counts a record that cannot be read as one that names it', async () => {
    const store = memoryStore();
    for (const name of ['cars', 'vans']) await loop(store, name);
    await store.put(keys.loopState('vans'), 'not json');
    assert.deepEqual((await planOf(store, 'loop', 'cars')).neededBy, [
      { by: 'vans', kind: 'loop', record: keys.loopState('vans') },
    ]);
  });

  it('says whose model is in production, and whose was', async () => {
    const store = memoryStore();
    for (const name of ['cars', 'vans']) {
      const key = await loop(store, name);
      const model = { scan: key, card: key, digest: DIGEST, loop: name, iteration: 1 };
      await registerBenchmark(store, TAXONOMY, model, 'a test');
    }
    const [before, now] = [await planOf(store, 'loop', 'cars'), await planOf(store, 'loop', 'vans')];
    assert.deepEqual([before.production, before.formerly], [[], [keys.benchmark(TAXONOMY)]]);
    assert.deepEqual([now.production.map(({ registry }) => registry), now.formerly], [[keys.benchmark(TAXONOMY)], []]);
  });

  it('takes no loop for a scan, no scan for a loop, and nothing for something', async () => {
    const store = memoryStore();
    await loop(store, 'cars');
    await scan(store, 'audit');
    await assert.rejects(planOf(store, 'scan', 'cars'), failsWith('not-found', /loop delete cars/));
    await assert.rejects(planOf(store, 'loop', 'audit'), failsWith('not-found', /scan delete audit/));
    await assert.rejects(planOf(store, 'loop', 'vans'), failsWith('not-found', /no loop `vans`/));
    await assert.rejects(planOf(store, 'scan', 'vans'), failsWith('not-found', /no scan `vans`/));
  });

  it('leaves no step done whose outputs are gone, wherever it ends, and ends when it is run again', async () => {
    const whole = memoryStore();
    await loop(whole, 'cars');
    for (let requests = 0; requests < 3; requests++) {
      const store = memoryStore();
      for (const key of whole.keys) await store.put(key, (await whole.get(key)).body);
      let left = requests;
      const dying: ObjectStore = {
        ...store,
        async tryDelete(targets) {
          if (left-- > 0) return store.tryDelete(targets);
          await store.tryDelete(targets.slice(0, 1));
          throw new Error('the machine is lost');
        },
      };
      await assert.rejects(removeAll(dying, 'loop', 'cars', ignore), /lost/);
      for (const commit of store.keys.filter((key) => key.endsWith('commit.json')))
        for (const key of whole.keys.filter((each) => each.startsWith(commit.replace('commit.json', ''))))
          assert.ok(store.keys.includes(key) || /(commit|latest)\.json$/.test(key), key);
      assert.deepEqual(await listLoops(store), [], 'it is no loop any more');
      await planOf(store, 'loop', 'cars');
      await removeAll(store, 'loop', 'cars', ignore);
      assert.deepEqual(store.keys, []);
    }
  });

  it('names what the store does not delete', async () => {
    const store = memoryStore();
    await loop(store, 'cars');
    const refusing: ObjectStore = {
      ...store,
      tryDelete: async (targets) => targets.map((key) => ({ key, reason: 'AccessDenied' })),
    };
    await assert.rejects(
      removeAll(refusing, 'loop', 'cars', ignore),
      failsWith('store-unavailable', /loops\/cars\/state\.json \(AccessDenied\).*same command/s),
    );
  });

  it('gives up on a loop into which somebody writes meanwhile', async () => {
    const store = memoryStore();
    await loop(store, 'cars');
    const busy: ObjectStore = {
      ...store,
      async tryDelete(targets) {
        await store.tryDelete(targets);
        await store.put(keys.pin('cars', 1, 'benchmark', DIGEST), '{}');
        return [];
      },
    };
    await assert.rejects(removeAll(busy, 'loop', 'cars', ignore), failsWith('store-conflict', /still writes/));
  });
});

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { PartloopError } from '../../domain/base/errors.js';
import type { RegisteredModel } from '../../domain/decide/decision.js';
import { productionStack } from '../../domain/decide/production.js';
import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import {
  promoteModel,
  readRegistry,
  registerBenchmark,
  registerPromotion,
  rollBackModel,
  takeLook,
} from '../../storage/registry.js';
import { idOf } from '../domain/sample/rows.js';
import { startTestStore, type TestStore } from '../support/servers/s3.js';

const TAXONOMY = idOf(0);
const model = (n: number): RegisteredModel => ({
  ...{ scan: `m${n}`, card: `c${n}`, digest: idOf(n), loop: 'cars', iteration: n },
});
const signed = (n: number) => ({ by: `person ${n}`, why: 'a test' });

describe('people who change the model in production at once', function () {
  this.timeout(120_000);
  let server: TestStore;
  let store: ObjectStore;
  before(async () => {
    server = await startTestStore();
  });
  after(() => server?.stop());
  beforeEach(() => {
    store = server.open(randomUUID());
  });

  it('all stand in the history, each with the model that it replaced', async () => {
    await registerBenchmark(store, TAXONOMY, model(1), 'first');
    const numbers = [2, 3, 4, 5, 6, 7];
    const changes = await Promise.all(numbers.map((n) => promoteModel(store, TAXONOMY, model(n), signed(n))));
    const { history, model: now } = await readRegistry(store, TAXONOMY);
    assert.deepEqual(history.map((entry) => entry.model.iteration).toSorted(), [1, ...numbers]);
    assert.deepEqual(history.at(-1)?.model, now);
    for (const [index, { before, changed }] of changes.entries()) {
      const place = history.findIndex((entry) => entry.model.iteration === numbers[index]);
      assert.deepEqual([changed, before], [true, history[place - 1]?.model]);
      assert.equal(history[place]?.by, `person ${numbers[index]}`);
    }
  });

  it('go back one step in all, and the others are told that it changed', async () => {
    for (const n of [1, 2, 3]) await promoteModel(store, TAXONOMY, model(n), signed(n));
    const way = { from: model(3), to: null };
    const ends = await Promise.allSettled([1, 2, 3, 4, 5].map((n) => rollBackModel(store, TAXONOMY, way, signed(n))));
    assert.equal(ends.filter(({ status }) => status === 'fulfilled').length, 1);
    for (const end of ends)
      if (end.status === 'rejected') {
        assert.ok(end.reason instanceof PartloopError && end.reason.code === 'refused', String(end.reason));
        assert.match(end.reason.message, /changed meanwhile/);
      }
    const { history, model: now } = await readRegistry(store, TAXONOMY);
    assert.deepEqual([now, history.length], [model(2), 4]);
  });

  it('lose no look of a gate, and no promotion of a gate lands on a model that it did not compare with', async () => {
    await promoteModel(store, TAXONOMY, model(1), signed(1));
    const look = (n: number) => ({ testVersion: 't', loop: 'cars', iteration: n, candidate: idOf(n) });
    const numbers = [2, 3, 4, 5];
    const [gates, looks] = [
      numbers.map((n) =>
        registerPromotion(store, TAXONOMY, { candidate: model(n), rival: model(1) }, 'better').then(
          () => 'promoted',
          (error: unknown) => (error instanceof PartloopError ? error.code : String(error)),
        ),
      ),
      numbers.map((n) => takeLook(store, TAXONOMY, look(n))),
    ];
    assert.deepEqual((await Promise.all(looks)).toSorted(), [1, 2, 3, 4]);
    assert.deepEqual((await Promise.all(gates)).toSorted(), [
      'promoted',
      ...['store-conflict', 'store-conflict', 'store-conflict'],
    ]);
    const { history, looks: kept } = await readRegistry(store, TAXONOMY);
    assert.deepEqual([history.length, kept.length], [2, 4]);
  });

  it('keep what a later version noted beside them', async () => {
    await promoteModel(store, TAXONOMY, model(1), signed(1));
    const key = keys.benchmark(TAXONOMY);
    const registry = await readRegistry(store, TAXONOMY);
    const later = { ...registry, history: registry.history.map((entry) => ({ ...entry, ticket: 7 })) };
    await store.put(key, JSON.stringify(later));
    await promoteModel(store, TAXONOMY, model(2), signed(2));
    await rollBackModel(store, TAXONOMY, { from: model(2), to: null }, signed(3));
    const text = new TextDecoder().decode((await store.get(key)).body);
    assert.match(text, /"ticket": 7/);
    const { history } = await readRegistry(store, TAXONOMY);
    assert.deepEqual(
      productionStack(history).map((entry) => entry.model.iteration),
      [1],
    );
    assert.deepEqual([history[2]?.rollback, history[2]?.by, history[2]?.why], [true, 'person 3', 'a test']);
  });
});

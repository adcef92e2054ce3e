import assert from 'node:assert/strict';
import { collectGarbage } from '../../../cleanup/gc/collectGarbage.js';
import { PartloopError } from '../../../domain/base/errors.js';
import { loopConfigSchema } from '../../../domain/config.js';
import { withAttempt } from '../../../domain/loop/state.js';
import { keys } from '../../../storage/keys.js';
import { updateLoopState } from '../../../storage/loopState.js';
import type { ObjectStore } from '../../../storage/objects/objectStore.js';
import { memoryStore } from '../../support/standIns/memoryStore.js';
import { stepResult } from '../../support/standIns/stepResult.js';
import { aged, ago, amounts, context, open, replayOf, step, sweep, train } from './kit.js';

const config = loopConfigSchema.parse({ pool: 'cars' });
const under = (store: { keys: readonly string[] }, part: string): string[] =>
  store.keys.filter((key) => key.includes(part));

const record = (
  store: ObjectStore,
  iteration: number,
  status: 'finished' | 'failed',
  runId: string = status,
  day = 20,
) =>
  updateLoopState(store, 'cars', (state) =>
    withAttempt(state, iteration, {
      ...{ runId, status, error: null, config, force: null, recordedAt: ago(day).toISOString() },
      results: { scan: stepResult('scan', {}, { scanned: 1 }) },
    }),
  );

describe('collecting what nothing reads any more', () => {
  it('takes the checkpoints of a training that is done, and leaves its outputs', async () => {
    const store = memoryStore();
    const { outputs } = await aged(store, 2, () => train(store, context(1), 1, { saves: 3 }));
    const seen = await sweep(store, false);
    assert.deepEqual(amounts(seen), { checkpoints: 7 });
    assert.equal(under(store, 'checkpoints/').length, 6, 'a dry run deletes nothing');
    assert.deepEqual(amounts(await sweep(store, true)), { checkpoints: 7 });
    assert.deepEqual([under(store, 'checkpoints/'), under(store, 'latest.json')], [[], []]);
    assert.equal((await train(store, context(1), 1, { saves: 1 })).outcome, 'hit');
    assert.ok(await store.head(String(outputs.out)));
    assert.deepEqual(amounts(await sweep(store, true)), {}, 'a second time there is nothing');
  });

  it('counts objects and bytes by kind and by loop', async () => {
    const store = memoryStore();
    await aged(store, 2, () => train(store, context(1), 1, { saves: 1 }));
    const [pointer] = under(store, 'latest.json');
    const bytes = 'weights 1'.length + 'log'.length + ((await store.head(pointer ?? ''))?.size ?? 0);
    const { kinds, loops } = await sweep(store, false);
    assert.deepEqual(loops, [{ loop: 'cars', kind: 'checkpoints', objects: 3, bytes }]);
    assert.deepEqual(kinds[0], { kind: 'checkpoints', objects: 3, bytes });
    assert.equal(kinds.length, 7);
  });

  it('leaves what a training that is not done goes on from, also after a year', async () => {
    const store = memoryStore();
    await aged(store, 400, () => assert.rejects(train(store, context(1), 1, { saves: 3, fails: true })));
    await sweep(store, true);
    let found: string[] = [];
    await train(store, context(1), 1, { saves: 0, trained: (trained) => (found = trained.found) });
    assert.equal(found.length, 6);
    for (const key of found) assert.ok(await store.head(key), key);
  });

  it('leaves checkpoints that a replay borrowed from a run that ended after all', async () => {
    const store = memoryStore();
    await aged(store, 9, async () => {
      await assert.rejects(train(store, context(1), 1, { saves: 2, fails: true }));
      await assert.rejects(train(store, replayOf(1, 'train', 't'), 1, { saves: 0, fails: true }));
      await train(store, context(1), 1, { saves: 1 });
    });
    const before = under(store, 'checkpoints/');
    assert.deepEqual(amounts(await sweep(store, true)), { checkpoints: 3, lostAttempts: 1, abandonedAttempts: 1 });
    assert.equal(under(store, 'checkpoints/').length, before.length - 2, 'only the last one was not borrowed');
    let found: string[] = [];
    await train(store, replayOf(1, 'train', 't'), 1, { saves: 1, trained: (trained) => (found = trained.found) });
    assert.equal(found.length, 4);
  });

  it('takes attempts that lost, and no attempt that the commit names', async () => {
    const store = memoryStore();
    await aged(store, 2, () => Promise.all([1, 2, 3].map(() => step(store, context(1), 'draw', 'pool'))));
    assert.equal(under(store, 'out.json').length, 3);
    assert.deepEqual(amounts(await sweep(store, true)), { lostAttempts: 2 });
    const { outcome, outputs } = await step(store, context(1), 'draw', 'pool');
    assert.equal(outcome, 'hit');
    assert.deepEqual(under(store, 'out.json'), [outputs.out]);
  });

  it('takes attempts that nobody finished once they are old, and nothing of a folder in which one is young', async () => {
    const store = memoryStore();
    const fail = (): Promise<never> => Promise.reject(new Error('the machine is lost'));
    const attempt = (iteration: number) => assert.rejects(step(store, context(iteration), 'draw', 'pool', fail));
    await aged(store, 8, () => attempt(1));
    await aged(store, 8, () => attempt(2));
    await aged(store, 6, () => attempt(2));
    assert.deepEqual(amounts(await sweep(store, true)), { abandonedAttempts: 1 });
    assert.equal(under(store, 'iterations/0002/').length, 2);
  });

  it('takes nothing that is younger than a day, nor of a step that was finished since', async () => {
    const store = memoryStore();
    await aged(store, 0.9, () => train(store, context(1), 1, { saves: 1 }));
    await aged(store, 5, () => assert.rejects(train(store, context(2), 1, { saves: 1, fails: true })));
    await aged(store, 0.9, () => train(store, context(2), 1, { saves: 0 }));
    assert.deepEqual(amounts(await sweep(store, true)), {});
  });

  it('takes nothing of an iteration that runs, and asks again before it deletes', async () => {
    const store = memoryStore();
    for (const iteration of [1, 2, 3]) await aged(store, 9, () => train(store, context(iteration), 1, { saves: 1 }));
    const work = [open('cars:1'), open('cars:1', 'cars:3')];
    const swept = await collectGarbage(store, {
      ...{ cutoffs: { written: ago(1), abandoned: ago(7) }, isFinal: true, withShards: true, withCopies: false },
      openWork: async () => work.shift() ?? open(),
    });
    assert.deepEqual([amounts(swept), swept.running], [{ checkpoints: 3 }, ['cars:1']]);
    assert.deepEqual(
      under(store, '/0002/').filter((key) => key.includes('checkpoints/')),
      [],
    );
    assert.equal(under(store, 'checkpoints/').length, 4);
  });

  it('takes the shards of a scan once no retry can ask for them', async () => {
    const scanned = async (iteration: number) => {
      const store = memoryStore();
      await aged(store, 20, async () => {
        let rows = '';
        await step(store, context(iteration), 'plan', 'chunk', async ({ key, store: own }) => {
          rows = key('rows-0.parquet');
          await own.put(rows, 'rows');
          await own.put(key('shards/v1-model/0.json.gz'), 'candidates');
          await own.put(key('shards/v1-model/0.json.gz.in-hand.json'), '{}');
        });
        await step(store, context(iteration), 'scan', { planKey: [rows] });
      });
      return store;
    };
    const finished = await scanned(1);
    assert.deepEqual(amounts(await sweep(finished, false)), {}, 'no record says that the iteration is finished');
    await record(finished, 1, 'finished');
    assert.deepEqual(amounts(await sweep(finished, true, open(), false)), {}, 'a reset reads them');
    assert.deepEqual(amounts(await sweep(finished, true)), { shards: 2 });
    assert.equal(under(finished, 'rows-0.parquet').length, 1);

    const failed = await scanned(1);
    await record(failed, 1, 'failed');
    assert.deepEqual(amounts(await sweep(failed, true)), {}, 'a retry may judge what is missing');
    await record(failed, 1, 'finished', 'retried');
    await record(failed, 1, 'failed', 'replayed', 1);
    assert.deepEqual(amounts(await sweep(failed, true)), {}, 'the same of a replay');
  });

  it('leaves shards that no scan has read', async () => {
    const store = memoryStore();
    await aged(store, 20, async () => {
      await step(store, context(1), 'plan', 'chunk', ({ key, store: own }) =>
        own.put(key('shards/v1-model/0.json.gz'), 'candidates').then(() => undefined),
      );
      await step(store, context(1), 'scan', { planKey: [] });
    });
    await record(store, 1, 'finished');
    assert.deepEqual(amounts(await sweep(store, true)), {});
  });

  it('frees the parts of old uploads, and of none that may be under way or is of another program', async () => {
    const store = memoryStore();
    for (const [days, key] of [
      [8, 'loops/cars/old'],
      [6, 'loops/cars/young'],
      [8, 'films/old'],
    ] as const)
      await aged(store, days, () => store.beginUpload(key, 1_000));
    const { loops } = await sweep(store, true);
    assert.deepEqual(loops, [{ loop: 'cars', kind: 'uploads', objects: 1, bytes: 1_000 }]);
    const left = [];
    for await (const { key } of store.openUploads('')) left.push(key);
    assert.deepEqual(left, ['loops/cars/young', 'films/old']);
  });

  it('goes on where the store does not let it list uploads, and says so', async () => {
    const store = memoryStore();
    await aged(store, 2, () => train(store, context(1), 1, { saves: 1 }));
    const refusing: ObjectStore = {
      ...store,
      openUploads: () => ({
        [Symbol.asyncIterator]: () => ({
          next: () => Promise.reject(new PartloopError('setup-incomplete', 'the store refuses access (AccessDenied)')),
        }),
      }),
    };
    const swept = await sweep(refusing, true);
    assert.deepEqual(
      [amounts(swept), swept.noUploads],
      [{ checkpoints: 3 }, 'the store refuses access (AccessDenied)'],
    );
  });

  it('passes over what depends on a record that cannot be read, and names it', async () => {
    const store = memoryStore();
    for (const iteration of [1, 2])
      await aged(store, 9, async () => {
        await assert.rejects(train(store, context(iteration), 1, { saves: 1, fails: true }));
        await train(store, context(iteration), 2, { saves: 1 });
      });
    const chain = under(store, '/0001/').find((key) => {
      return key.endsWith('latest.json') && !store.keys.includes(key.replace('latest', 'commit'));
    });
    await aged(store, 9, () => store.put(chain ?? '', 'not json'));
    const swept = await sweep(store, true);
    assert.deepEqual(
      swept.unreadable.map(({ key }) => key),
      [chain],
    );
    assert.deepEqual(amounts(swept), { checkpoints: 3, abandonedAttempts: 1 }, 'the other iteration is cleared');
    assert.equal(under(store, '/0001/').filter((key) => key.includes('checkpoints/')).length, 4);

    await store.put(keys.loopState('cars'), 'not json');
    assert.deepEqual(
      (await sweep(store, true)).unreadable.map(({ key }) => key),
      [keys.loopState('cars')],
    );
  });

  it('leaves a damaged commit and its checkpoints to whoever repairs it', async () => {
    const store = memoryStore();
    await aged(store, 9, () => train(store, context(1), 1, { saves: 1 }));
    const [commit = ''] = under(store, 'commit.json');
    const text = Buffer.from((await store.get(commit)).body).toString();
    await aged(store, 9, () => store.put(commit, text.replace('"train"', '"trail"')));
    const swept = await sweep(store, true);
    assert.deepEqual([amounts(swept), swept.unreadable.map(({ key }) => key)], [{}, [commit]]);
  });

  it('says which objects the store did not delete, and ends the same when it is run again', async () => {
    const store = memoryStore();
    await aged(store, 9, () => train(store, context(1), 1, { saves: 2 }));
    const denied = under(store, '2.pt')[0] ?? '';
    const refusing: ObjectStore = {
      ...store,
      async tryDelete(targets) {
        await store.tryDelete(targets.filter((key) => key !== denied));
        return targets.includes(denied) ? [{ key: denied, reason: 'AccessDenied' }] : [];
      },
    };
    const swept = await sweep(refusing, true);
    assert.deepEqual(swept.failed, [{ key: denied, reason: 'AccessDenied' }]);
    assert.deepEqual(amounts(swept), { checkpoints: 4 });
    assert.deepEqual(amounts(await sweep(store, true)), { checkpoints: 1 });
  });

  it('leaves a pointer, and what it names, that was written after it was seen', async () => {
    const store = memoryStore();
    await aged(store, 9, () => train(store, context(1), 1, { saves: 1 }));
    const [pointer = ''] = under(store, 'latest.json');
    const changing: ObjectStore = {
      ...store,
      async head(key) {
        await store.put(pointer, '{"other":1}');
        return store.head(key);
      },
    };
    const before = store.keys;
    const { failed } = await sweep(changing, true);
    assert.deepEqual(failed[0], { key: pointer, reason: 'it was written meanwhile' });
    assert.deepEqual([failed.length, store.keys], [3, before]);
  });
});

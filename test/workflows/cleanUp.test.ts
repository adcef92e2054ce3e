import assert from 'node:assert/strict';
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import pino from 'pino';
import { createCleanUpActivities } from '../../activities/cleanUp.js';
import type { Activities } from '../../activities/index.js';
import { rootFailure } from '../../domain/base/failures/rootFailure.js';
import { CLEAN_UP_ID } from '../../domain/base/ids.js';
import { LIGHT_QUEUE } from '../../domain/base/queues.js';
import { SWEEP_PARTS } from '../../domain/cleanup/place.js';
import { type CleanUpResult, cleanUpResultSchema } from '../../domain/cleanup/requests.js';
import type { Occasion } from '../../domain/notify/occasion.js';
import { WORKFLOWS } from '../../domain/workflowNames.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { aged, context, train } from '../cleanup/gc/kit.js';
import { localEnvironment, withWorkers } from '../support/servers/workflowEnvironment.js';
import { fakeActivities } from '../support/standIns/fakeActivities.js';
import { type MemoryStore, memoryStore } from '../support/standIns/memoryStore.js';
import { stepGate } from '../support/standIns/stepGate.js';

describe('cleanUp', function () {
  this.timeout(120_000);
  let environment: TestWorkflowEnvironment;
  let told: Occasion[] = [];
  before(async () => {
    environment = await localEnvironment();
  });
  beforeEach(() => {
    told = [];
  });
  after(() => environment?.teardown());

  const withStore = (store: ObjectStore, changes: Partial<Activities> = {}): Activities => ({
    ...fakeActivities().activities,
    ...createCleanUpActivities({
      ...{ store, client: environment.client, home: '/nonexistent', root: '/nonexistent' },
      log: pino({ level: 'silent' }),
      notify: async (occasions) => void told.push(...occasions),
    }),
    ...changes,
  });

  let starts = 0;
  const begin = (input: unknown) =>
    environment.client.workflow.start(WORKFLOWS.cleanUp, {
      ...{ workflowId: `tidy-${starts++}`, taskQueue: LIGHT_QUEUE, args: [input] },
    });
  const clean = async (input: unknown): Promise<CleanUpResult> =>
    cleanUpResultSchema.parse(await (await begin(input)).result());
  async function failed(handle: { result(): Promise<unknown> }) {
    try {
      await handle.result();
    } catch (error) {
      assert.ok(error instanceof WorkflowFailedError, String(error));
      return rootFailure(error);
    }
    return assert.fail('the clean-up did not fail');
  }
  /** Loops with a training that was done long ago; each has three objects that nothing reads. */
  async function storeOf(loops: number): Promise<MemoryStore> {
    const store = memoryStore();
    await aged(store, 2, async () => {
      for (let one = 0; one < loops; one++) await train(store, { ...context(1), loop: `loop-${one}` }, 1, { saves: 1 });
    });
    return store;
  }

  it('only counts unless it is told to delete, and deletes what it counted', async () => {
    const store = await storeOf(2);
    const before = store.keys;
    await withWorkers(environment, withStore(store), async () => {
      const counted = await clean({});
      assert.deepEqual([counted.deleted, counted.objects, store.keys], [false, 6, before]);
      assert.deepEqual(
        counted.kinds.map(({ kind, objects }) => [kind, objects]),
        [['checkpoints', 6]],
      );
      const deleted = await clean({ delete: true });
      assert.deepEqual(deleted, { ...counted, deleted: true });
      assert.equal(store.keys.length, before.length - 6);
      const again = await clean({ delete: true });
      assert.deepEqual([again.objects, again.kinds], [0, []]);
    });
    assert.deepEqual(told, []);
  });

  it('leaves what is younger than its grace period', async () => {
    const store = memoryStore();
    store.now = () => new Date();
    await train(store, context(1), 1, { saves: 1 });
    await withWorkers(environment, withStore(store), async () => {
      assert.equal((await clean({ delete: true })).objects, 0);
      assert.equal((await clean({ olderThanHours: 1 })).objects, 0);
    });
  });

  it('sweeps a page again whose worker died after it had deleted, and goes on behind it', async () => {
    const store = await storeOf(23);
    const whole = withStore(store);
    let pages = 0;
    const activities = withStore(store, {
      sweepStore: async (input) => {
        const answer = await whole.sweepStore(input);
        if (++pages === 1) throw ApplicationFailure.create({ type: 'interrupted', message: 'the worker is gone' });
        return answer;
      },
    });
    await withWorkers(environment, activities, async () => {
      const { objects } = await clean({ delete: true });
      assert.equal(objects, 9, 'what the lost page deleted is not found again');
    });
    assert.equal(pages, 3 + SWEEP_PARTS.slice(1).length, 'two pages of loops, one of them twice, and the other parts');
    assert.deepEqual(
      store.keys.filter((key) => /checkpoints\/|latest\.json/.test(key)),
      [],
    );
  });

  it('runs once at a time', async () => {
    const store = await storeOf(1);
    const whole = withStore(store);
    const { atStep, open, until } = stepGate('sweep');
    const activities = withStore(store, {
      sweepStore: async (input) => {
        await until('sweep');
        return whole.sweepStore(input);
      },
    });
    await withWorkers(environment, activities, async () => {
      const first = await begin({ delete: true });
      await atStep;
      const { code, message } = await failed(await begin({}));
      assert.deepEqual([code, /runs already/.test(message)], ['refused', true]);
      open();
      assert.equal(cleanUpResultSchema.parse(await first.result()).objects, 3);
    });
    assert.deepEqual(told, [], 'a refusal is told to whoever asked alone');
  });

  it('fails over objects that the store does not delete, after it has tried all, and tells the webhook', async () => {
    const store = await storeOf(2);
    const refusing: ObjectStore = {
      ...store,
      async tryDelete(keys) {
        const denied = keys.filter((key) => key.includes('loop-0'));
        await store.tryDelete(keys.filter((key) => !denied.includes(key)));
        return denied.map((key) => ({ key, reason: 'AccessDenied' }));
      },
    };
    await withWorkers(environment, withStore(refusing), async () => {
      const { code, message } = await failed(await begin({ delete: true }));
      assert.equal(code, 'store-unavailable');
      assert.match(message, /loops\/loop-0\/.*AccessDenied/);
    });
    assert.equal(store.keys.filter((key) => key.includes('loop-1') && key.includes('checkpoints/')).length, 0);
    assert.deepEqual(
      told.map(({ event, loop, workflowId }) => [event, loop, workflowId]),
      [['cleanup.failed', null, CLEAN_UP_ID]],
    );
    assert.match(told[0]?.text ?? '', /the clean-up of the store failed: .*AccessDenied/);
  });

  it('ends with the request that somebody cancels, and tells nobody', async () => {
    const store = await storeOf(1);
    const whole = withStore(store);
    const { atStep, until } = stepGate('sweep');
    const activities = withStore(store, {
      sweepStore: async (input) => {
        await until('sweep');
        return whole.sweepStore(input);
      },
    });
    await withWorkers(environment, activities, async () => {
      const handle = await begin({ delete: true });
      await atStep;
      await handle.cancel();
      await failed(handle);
      const { status } = await environment.client.workflow.getHandle(CLEAN_UP_ID).describe();
      assert.equal(status.name, 'CANCELLED');
    });
    assert.deepEqual(told, []);
  });

  it('names a wrong field', async () => {
    await withWorkers(environment, withStore(memoryStore()), async () => {
      const { code, message } = await failed(await begin({ remove: true }));
      assert.equal(code, 'input-invalid');
      assert.match(message, /remove/);
    });
  });
});

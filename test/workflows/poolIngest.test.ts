import assert from 'node:assert/strict';
import { WorkflowFailedError } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import pino from 'pino';
import type { Activities } from '../../activities/index.js';
import { createIngestActivities } from '../../activities/ingest.js';
import { rootFailure } from '../../domain/base/failures/rootFailure.js';
import { poolIngestWorkflowId } from '../../domain/base/ids.js';
import { LIGHT_QUEUE } from '../../domain/base/queues.js';
import { DROP_MARKER } from '../../domain/ingest/drop.js';
import { ingestProgressSchema } from '../../domain/ingest/requests.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { indexOf } from '../pool/import/items.js';
import { POOL, photo, put, sendMasks, storeWithPool } from '../pool/ingest/kit.js';
import { mask } from '../support/pictures/pictures.js';
import { localEnvironment, withWorkers } from '../support/servers/workflowEnvironment.js';
import { fakeActivities } from '../support/standIns/fakeActivities.js';

describe('poolIngest', function () {
  this.timeout(120_000);
  let environment: TestWorkflowEnvironment;
  before(async () => {
    environment = await localEnvironment();
  });
  after(() => environment?.teardown());

  const withStore = (store: ObjectStore, changes: Partial<Activities> = {}): Activities => ({
    ...fakeActivities().activities,
    ...createIngestActivities({
      ...{ store, client: environment.client, home: '/nonexistent', root: '/nonexistent' },
      log: pino({ level: 'silent' }),
    }),
    ...changes,
  });

  let starts = 0;
  const start = (input: unknown) =>
    environment.client.workflow.execute('startIngest', {
      ...{ workflowId: `start-ingest-${starts++}`, taskQueue: LIGHT_QUEUE, args: [input] },
    });
  const ingest = () => environment.client.workflow.getHandle(poolIngestWorkflowId(POOL));
  const result = async () => ingestProgressSchema.parse(await ingest().result());
  const waits = async () => {
    for (;;) {
      const { waiting, current } = ingestProgressSchema.parse(await ingest().query('progress'));
      if (current === null && waiting.length > 0) return waiting;
      await new Promise((done) => setTimeout(done, 50));
    }
  };

  it('settles every whole drop of every inbox, tells the loops once, and ends', async () => {
    const store = await storeWithPool();
    await sendMasks(store, 'd1', [{ seed: 10 }, { seed: 11 }]);
    await sendMasks(store, 'd2', [{ seed: 12 }]);
    await sendMasks(store, 'd3', [{ seed: 12 }]);
    await sendMasks(store, 'd4', [{ seed: 13 }], { marker: null });
    await store.put('inbox/no-such-pool/d1/_COMPLETE', '');
    const told: string[] = [];
    const tellLoops = async ({ pool }: { pool: string }) => void told.push(pool);
    await withWorkers(environment, withStore(store, { tellLoops }), async () => {
      const started = await start({});
      assert.deepEqual(
        started.ingests.map(({ pool }: { pool: string }) => pool),
        [POOL],
      );
      const { totals, last } = await result();
      assert.deepEqual([totals.drops, totals.added, totals.known], [3, 3, 1]);
      assert.deepEqual(
        last.map(({ drop }) => drop),
        ['d3', 'd2', 'd1'],
      );
      assert.deepEqual(told, [POOL]);
    });
    assert.equal((await indexOf(store)).length, 5);
    assert.ok(store.keys.includes('inbox/no-such-pool/d1/_COMPLETE'), 'nobody deletes what belongs to no pool');
  });

  it('takes a drop that comes while another one is read', async () => {
    const store = await storeWithPool();
    await sendMasks(store, 'd1', [{ seed: 10 }]);
    store.beforeWrite = async (key) => {
      if (!key.includes('/segments/')) return;
      store.beforeWrite = () => undefined;
      await sendMasks(store, 'a0', [{ seed: 11 }]);
      await start({ pool: POOL });
    };
    await withWorkers(environment, withStore(store), async () => {
      await start({ pool: POOL });
      assert.equal((await result()).totals.drops, 2);
    });
  });

  it('waits for the other half of a drop, and goes on as soon as somebody says that it is there', async () => {
    const store = await storeWithPool();
    await sendMasks(store, 'd1', [{ seed: 10 }, { seed: 11 }]);
    await store.delete([`inbox/${POOL}/d1/images/11.jpg`]);
    await withWorkers(environment, withStore(store), async () => {
      await start({ pool: POOL });
      assert.deepEqual(
        (await waits()).map(({ drop, missing }) => [drop, missing]),
        [['d1', 1]],
      );
      await put(store, 'd1', 'images/11.jpg', await photo(11));
      await start({ pool: POOL });
      const { totals, waiting } = await result();
      assert.deepEqual([totals.drops, totals.added, totals.refused, waiting], [1, 2, 0, []]);
    });
  });

  it('settles the other drops before it fails over one that cannot be read', async () => {
    const store = await storeWithPool();
    for (const [index, drop] of ['d1', 'd2', 'd3'].entries()) await sendMasks(store, drop, [{ seed: 10 + index }]);
    const whole = withStore(store);
    const { ApplicationFailure } = await import('@temporalio/common');
    const activities = {
      ...whole,
      settleDrop: async (input: { pool: string; drop: string }) => {
        if (input.drop === 'd2') throw ApplicationFailure.nonRetryable('the machine is odd', 'no-progress');
        return whole.settleDrop(input);
      },
    };
    await withWorkers(environment, activities, async () => {
      await start({ pool: POOL });
      await assert.rejects(ingest().result(), (error: unknown) => {
        assert.ok(error instanceof WorkflowFailedError);
        assert.match(rootFailure(error).message, /drop d2 of pool cars could not be read: the machine is odd/);
        return true;
      });
    });
    assert.equal((await indexOf(store)).length, 4);
    await withWorkers(environment, whole, async () => {
      await start({ pool: POOL });
      assert.equal((await result()).totals.added, 1);
    });
  });

  it('refuses a field that there is not, and another id than its own', async () => {
    const store = await storeWithPool();
    await withWorkers(environment, withStore(store), async () => {
      const messageOf = (work: Promise<unknown>) =>
        work.then(
          () => 'nothing failed',
          (error: unknown) => rootFailure(error).message,
        );
      assert.match(await messageOf(start({ pol: 'cars' })), /pol/);
      const direct = environment.client.workflow.execute('poolIngest', {
        ...{ workflowId: 'my-ingest', taskQueue: LIGHT_QUEUE, args: [{}] },
      });
      assert.match(await messageOf(direct), /Start the workflow `startIngest` instead/);
    });
  });

  it('refuses a damaged mask alone, and takes what comes after it', async () => {
    const store = await storeWithPool();
    await sendMasks(store, 'd1', [{ seed: 10 }], { extra: { 'labels/10.png': 'damaged' } });
    await put(store, 'd2', 'manifest.jsonl', JSON.stringify({ image: 'a.jpg', label: 'a.png' }));
    await put(store, 'd2', 'a.jpg', await photo(20));
    await put(store, 'd2', 'a.png', await mask(2));
    await put(store, 'd2', DROP_MARKER, '');
    await withWorkers(environment, withStore(store), async () => {
      await start({ pool: POOL });
      const { totals } = await result();
      assert.deepEqual([totals.added, totals.refused], [1, 1]);
    });
  });
});

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { pino } from 'pino';
import type { Activities } from '../../activities/index.js';
import { PartloopError } from '../../domain/base/errors.js';
import { LIGHT_QUEUE, SCAN_QUEUE } from '../../domain/base/queues.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { openStore } from '../../storage/objects/s3.js';
import { checkStoreWrites } from '../../storage/objects/storeCheck.js';
import { castErrors } from '../../workers/castErrors.js';
import { keepWorking, type Post } from '../../workers/keepWorking.js';
import { startTestStore, type TestStore } from '../support/servers/s3.js';
import { localEnvironment, workflowBundle } from '../support/servers/workflowEnvironment.js';
import { fakeActivities, stepResult, testConfig } from '../support/standIns/fakeActivities.js';

const SHARDS = 20;
const URI = 's3://partloop/store';
/** A task that was on its way to a poll which its worker gave up is lost, and comes again after so long a silence. */
const config = { ...testConfig, durability: { ...testConfig.durability, scanHeartbeatSeconds: 5 } };

describe('a worker whose machine is at fault', function () {
  this.timeout(120_000);
  let environment: TestWorkflowEnvironment;
  let server: TestStore;
  before(async () => {
    [environment, server] = await Promise.all([localEnvironment(), startTestStore()]);
  });
  after(() => Promise.all([environment?.teardown(), server?.stop()]));

  const wrongKeys = () => ({
    ...server.options,
    credentials: { ...server.options.credentials, secretAccessKey: 'not-the-secret' },
    uri: URI,
  });

  /** A scan worker that writes each shard into its own view of the store. */
  function post(store: ObjectStore, tried: string[], check: () => Promise<void>): Post {
    const scanShard = async ({ shard }: { shard: number }): Promise<void> => {
      tried.push(String(shard));
      await store.put(`shards/${shard}`, 'judged');
    };
    const { activities } = fakeActivities();
    return {
      create: (onEnd) =>
        Worker.create({
          connection: environment.nativeConnection,
          taskQueue: SCAN_QUEUE,
          activities: { ...activities, scanShard } satisfies Activities,
          maxConcurrentActivityTaskExecutions: 2,
          interceptors: { activity: [castErrors('scan', onEnd)] },
        }),
      ...{ check, log: pino({ level: 'silent' }), firstPauseMs: 0 },
    };
  }

  async function scan(id: string): Promise<unknown> {
    const { activities } = fakeActivities({ shards: SHARDS });
    const light = await Worker.create({
      connection: environment.nativeConnection,
      taskQueue: LIGHT_QUEUE,
      activities,
      workflowBundle: await workflowBundle(),
    });
    const context = { loop: 'cars', iteration: 1, config, previous: null, force: null };
    return light.runUntil(
      environment.client.workflow.execute('mislabelScan', {
        workflowId: id,
        taskQueue: LIGHT_QUEUE,
        args: [{ context, draw: stepResult('draw') }],
      }),
    );
  }

  it('asks for no task if its keys are wrong', async () => {
    const tried: string[] = [];
    await assert.rejects(
      keepWorking(
        post(server.open('store'), tried, () => checkStoreWrites(wrongKeys())),
        AbortSignal.timeout(30_000),
      ),
      (error: unknown) =>
        error instanceof PartloopError && error.code === 'setup-incomplete' && /secret/.test(error.hint ?? ''),
    );
    assert.deepEqual(tried, []);
  });

  it('leaves its tasks to others once its keys turn wrong, and the scan ends with every shard', async () => {
    const stop = new AbortController();
    const [wrong, right]: [string[], string[]] = [[], []];
    let checks = 0;
    // The keys are taken away between the first check and the first task.
    const faulty = keepWorking(
      post(openStore(wrongKeys()), wrong, () => (checks++ === 0 ? Promise.resolve() : checkStoreWrites(wrongKeys()))),
      stop.signal,
    );
    const ended = assert.rejects(faulty, { code: 'setup-incomplete' });
    const done = scan('scan:two-workers');
    while (wrong.length === 0) await sleep(20);
    const store = server.open('store');
    const sound = keepWorking(
      post(store, right, () => checkStoreWrites({ ...server.options, uri: URI })),
      stop.signal,
    );
    await done;
    await ended;
    stop.abort();
    await sound;
    const shards: string[] = [];
    for await (const { key } of store.list('shards/')) shards.push(key);
    assert.equal(shards.length, SHARDS);
    // Three in a row, and the tasks that its other slot took meanwhile.
    assert.ok(wrong.length <= 5, wrong.join(', '));
  });

  it('takes tasks again once its checks pass', async () => {
    const stop = new AbortController();
    const tried: string[] = [];
    const store = server.open('store');
    let faults = 0;
    let checks = 0;
    const put: ObjectStore['put'] = (...args) =>
      ++faults <= 3
        ? Promise.reject(Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' }))
        : store.put(...args);
    const worker = keepWorking(
      post({ ...store, put }, tried, () => Promise.resolve(void checks++)),
      stop.signal,
    );
    await scan('scan:full-for-a-while');
    stop.abort();
    await worker;
    assert.ok(checks >= 2);
    assert.equal(new Set(tried).size, SHARDS);
  });
});

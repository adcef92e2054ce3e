import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { Activities } from '../../../activities/index.js';
import { createRunningActivities } from '../../../activities/running.js';
import { statusesOf } from '../../../cli/loop/loopShown.js';
import { findScanWorkflow, unfinishedScans } from '../../../cli/scan/scanWorkflows.js';
import { PartloopError } from '../../../domain/base/errors.js';
import { LIGHT_QUEUE } from '../../../domain/base/queues.js';
import { nextStep } from '../../../domain/loop/status.js';
import type { LoopStatus } from '../../../domain/messages.js';
import { pollerStatus, strayedText } from '../../../infra/stack/pollers.js';
import { commandLoop, loopStatus, loopStatusOrRecord } from '../../../steering/loopClient.js';
import { loopTroubles } from '../../../steering/loopTroubles.js';
import { pausedText } from '../../../steering/pausedWork.js';
import { keys } from '../../../storage/keys.js';
import { localEnvironment, withWorkers } from '../../support/servers/workflowEnvironment.js';
import { fakeActivities, testConfig } from '../../support/standIns/fakeActivities.js';
import { memoryStore } from '../../support/standIns/memoryStore.js';
import { stepGate } from '../../support/standIns/stepGate.js';

/** Messages to an operator about a loop that stands still or that somebody ended, and the remedies. */
describe('a loop in trouble', function () {
  this.timeout(120_000);
  let environment: TestWorkflowEnvironment;
  let client: Client;
  before(async () => {
    environment = await localEnvironment();
    ({ client } = environment);
  });
  after(() => environment?.teardown());

  const ITERATION = 'loop:cars:iteration:0001';
  const store = memoryStore();
  const working = (activities: Activities, work: () => Promise<void>): Promise<void> => {
    const { isRunning, joinWorkflow } = createRunningActivities({ client });
    return withWorkers(environment, { ...activities, isRunning, joinWorkflow }, work);
  };
  const start = async (): Promise<void> => {
    await client.workflow.start('trainingLoop', { workflowId: 'loop:cars', taskQueue: LIGHT_QUEUE, args: [{}] });
    await client.workflow
      .getHandle('loop:cars')
      .executeUpdate('runIterations', { args: [{ iterations: 1, config: testConfig, settings: {} }] });
  };
  const until = async (done: (status: LoopStatus) => boolean): Promise<LoopStatus> => {
    for (;;) {
      const now = await loopStatus(client, 'cars');
      if (done(now)) return now;
      await sleep(50);
    }
  };
  const stop = async (): Promise<void> => {
    await commandLoop(client, 'cars', { name: 'stop', args: [{ now: true }] });
    await client.workflow.getHandle('loop:cars').result();
  };

  it('says which workflow somebody ended and what to do, and goes on once that is done', async () => {
    const { atStep, until: gate, open } = stepGate('shard:0');
    const { activities } = fakeActivities({ until: gate });
    await working(activities, async () => {
      await start();
      await atStep;
      await client.workflow.getHandle(`${ITERATION}:scan`).terminate();
      const scan = await until(({ phase }) => phase === 'failed');
      assert.equal(scan.error, `iteration 1: ${ITERATION}:scan was terminated`);
      assert.equal(nextStep(scan), '`partloop loop retry cars` continues after the last finished step.');
      open();
      await commandLoop(client, 'cars', { name: 'retryIteration', args: [{}] });
      await until(({ phase }) => phase === 'idle');
      await stop();
    });
  });

  it('reports a cancelled scan below it, and its iteration', async () => {
    const scan = stepGate('shard:0');
    const train = stepGate('train:1');
    const { activities } = fakeActivities({
      until: async (name) => {
        await scan.until(name);
        await train.until(name);
      },
    });
    await working(activities, async () => {
      await start();
      await scan.atStep;
      await client.workflow.getHandle(`${ITERATION}:scan`).cancel();
      scan.open();
      const { error } = await until(({ phase }) => phase === 'failed');
      assert.equal(error, `iteration 1: ${ITERATION}:scan was cancelled`);
      await commandLoop(client, 'cars', { name: 'retryIteration', args: [{}] });
      await train.atStep;
      await client.workflow.getHandle(ITERATION).terminate();
      train.open();
      const ended = await until(({ phase }) => phase === 'failed');
      assert.equal(ended.error, `iteration 1: ${ITERATION} was terminated`);
      await stop();
    });
  });

  it('that was terminated is shown with the iteration that runs on without it', async () => {
    const { atStep, until: gate, open } = stepGate('train:1');
    const { activities } = fakeActivities({ until: gate });
    await working(activities, async () => {
      await start();
      await atStep;
      await client.workflow.getHandle('loop:cars').terminate();
      // The list is updated a moment later.
      let shown = await loopStatusOrRecord(client, store, 'cars');
      while (shown.iteration === null) {
        await sleep(100);
        shown = await loopStatusOrRecord(client, store, 'cars');
      }
      assert.deepEqual([shown.phase, shown.iteration, shown.step], ['stopped', 1, 'train']);
      open();
      await client.workflow.getHandle(ITERATION).result();
    });
  });

  it('that does not answer is an error with advice, within seconds', async () => {
    const { activities } = fakeActivities();
    await working(activities, start);
    await assert.rejects(loopStatus(client, 'cars'), (error: unknown) => {
      assert.ok(error instanceof PartloopError);
      assert.equal(error.code, 'stack-unavailable');
      assert.match(error.message, /no worker of role `light` answers for loop `cars`/);
      return /partloop status/.test(error.hint ?? '');
    });
    await client.workflow.getHandle('loop:cars').terminate();
  });

  it('whose record is damaged hides no other', async () => {
    await store.put(keys.loopState('damaged'), '{"loop": "dama');
    const { statuses, unreadable } = await statusesOf(client, store, ['damaged', 'other']);
    assert.deepEqual(
      statuses.map(({ loop, phase }) => [loop, phase]),
      [['other', 'stopped']],
    );
    assert.match(unreadable[0]?.error.message ?? '', /loops\/damaged\/state\.json is not JSON/);
  });

  it('reports a step that somebody paused in Temporal', async () => {
    const { atStep, until: gate, open } = stepGate('train:1');
    const { activities } = fakeActivities({ until: gate });
    await working(activities, async () => {
      await start();
      await atStep;
      const { raw } = await client.workflow.getHandle(ITERATION).describe();
      const id = raw.pendingActivities?.[0]?.activityId ?? '';
      const pause = { workflowId: ITERATION, runId: '' };
      const namespace = environment.namespace ?? 'default';
      await client.workflowService.pauseActivity({
        namespace,
        execution: pause,
        id,
        reason: 'a look',
        identity: 'ann',
      });
      const { paused } = await loopTroubles(client, await loopStatus(client, 'cars'));
      assert.match(
        paused.map(pausedText).join(),
        /^train of loop:cars:iteration:0001 is paused in Temporal, by ann \(a look\)/,
      );
      assert.equal((await pollerStatus(environment.address, namespace))?.paused.length, 1);
      await client.workflowService.unpauseActivity({ namespace, execution: pause, id });
      open();
      await until(({ phase }) => phase === 'idle');
      await stop();
    });
  });
});

describe('a workflow that somebody started or ended by hand', function () {
  this.timeout(120_000);
  let environment: TestWorkflowEnvironment;
  before(async () => {
    environment = await localEnvironment();
  });
  after(() => environment?.teardown());

  it('is reported with its queue if no worker of ours polls that', async () => {
    const { workflow } = environment.client;
    const handle = await workflow.start('startLoop', { workflowId: 'x', taskQueue: 'partlop', args: [{}] });
    const look = async () => (await pollerStatus(environment.address, environment.namespace ?? 'default'))?.strayed;
    while ((await look())?.length !== 1) await sleep(100);
    assert.deepEqual((await look())?.map(strayedText), [
      "workflow x (startLoop) waits on queue partlop, which none of partloop's workers polls.",
    ]);
    await handle.terminate();
  });

  it('is named with its failure if a standalone scan failed', async () => {
    const { activities } = fakeActivities();
    const { workflow } = environment.client;
    const prepareScan = async () => {
      throw new Error('never called');
    };
    await withWorkers(environment, { ...activities, prepareScan }, async () => {
      const options = { workflowId: 'scan:night', taskQueue: LIGHT_QUEUE, args: [{ poool: 'cars' }] };
      const handle = await workflow.start('mislabelScan', options);
      await assert.rejects(handle.result());
      const look = () => unfinishedScans(environment.client, { running: [], done: [] });
      while ((await look()).length === 0) await sleep(100);
      const [scan] = await look();
      assert.deepEqual([scan?.scan, scan?.state], ['night', 'failed']);
      assert.match(scan?.error ?? '', /field `poool`: there is no such field/);
      assert.equal((await findScanWorkflow(environment.client, 'night'))?.status, 'FAILED');
    });
  });
});

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { WithStartWorkflowOperation, WorkflowFailedError, WorkflowUpdateFailedError } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { LIGHT_QUEUE } from '../../domain/base/queues.js';
import type { LoopStatus, RunIterationsAnswer } from '../../domain/messages.js';
import { timeSkippingEnvironment, withWorkers } from '../support/servers/workflowEnvironment.js';
import { fakeActivities, testConfig } from '../support/standIns/fakeActivities.js';
import { stepGate } from '../support/standIns/stepGate.js';

describe('trainingLoop', () => {
  let environment: TestWorkflowEnvironment;
  before(async () => {
    environment = await timeSkippingEnvironment();
  });
  after(() => environment?.teardown());

  const run = (iterations: number, id = 'loop:cars'): Promise<RunIterationsAnswer> =>
    environment.client.workflow.executeUpdateWithStart<() => Promise<unknown>, RunIterationsAnswer, [unknown]>(
      'runIterations',
      {
        args: [{ iterations, config: testConfig }],
        startWorkflowOperation: new WithStartWorkflowOperation('trainingLoop', {
          workflowId: id,
          taskQueue: LIGHT_QUEUE,
          args: [{}],
          workflowIdConflictPolicy: 'USE_EXISTING',
        }),
      },
    );
  const loop = () => environment.client.workflow.getHandle('loop:cars');
  const status = (): Promise<LoopStatus> => loop().query<LoopStatus>('status');
  const until = async (done: (status: LoopStatus) => boolean): Promise<LoopStatus> => {
    for (;;) {
      const now = await status();
      if (done(now)) return now;
      await sleep(50);
    }
  };
  const stop = async (): Promise<void> => {
    await loop().executeUpdate('stop', { args: [{ now: true }] });
    await loop().result();
  };

  it('runs the steps of an iteration in order and records it', async () => {
    const { activities, calls } = fakeActivities();
    await withWorkers(environment, activities, async () => {
      assert.equal((await run(1)).outcome, 'started');
      const { rows, nextIteration } = await until(({ phase, remaining }) => phase === 'idle' && remaining === 0);
      assert.equal(nextIteration, 2);
      assert.deepEqual(
        rows.map(({ iteration, status: state, miou, gate }) => ({ iteration, state, miou, gate })),
        [{ iteration: 1, state: 'finished', miou: 0.6, gate: 'held' }],
      );
      await stop();
    });
    const steps = calls.filter((call) => !call.startsWith('shard') && call !== 'startOrJoinLoop');
    assert.deepEqual(steps, [
      'prepare:1:next',
      'draw:1',
      'plan:1',
      'judges',
      'reduce:',
      'sample:1',
      'train:1',
      'evaluate:1',
      'decide:1',
      'report:1',
      'record:1:finished',
    ]);
  });

  it('keeps one request waiting behind the running one, and joins any further request to it', async () => {
    const { activities } = fakeActivities();
    await withWorkers(environment, activities, async () => {
      assert.equal((await run(2)).outcome, 'started');
      const answers = [(await run(1)).outcome, (await run(1)).outcome];
      assert.deepEqual(answers, ['queued', 'joined']);
      const { nextIteration } = await until(
        ({ phase, remaining, pending }) => phase === 'idle' && remaining === 0 && pending === null,
      );
      assert.equal(nextIteration, 4);
      await stop();
    });
  });

  it('catches a failed iteration, says why, and runs it again on retry', async () => {
    const { activities, calls, fail } = fakeActivities();
    fail('train:1', 'training-diverged');
    await withWorkers(environment, activities, async () => {
      await run(1);
      const failed = await until(({ phase }) => phase === 'failed');
      assert.match(failed.error ?? '', /iteration 1: .*train:1 failed as the test asked/);
      await loop().executeUpdate('retryIteration', { args: [{}] });
      await until(({ phase, remaining }) => phase === 'idle' && remaining === 0);
      await stop();
    });
    assert.equal(calls.filter((call) => call === 'train:1').length, 2);
    assert.ok(calls.includes('record:1:failed') && calls.includes('record:1:finished'));
  });

  it('waits for images when the pool is exhausted, and goes on when it has grown', async () => {
    const { activities, fail } = fakeActivities();
    fail('draw:1', 'pool-exhausted');
    await withWorkers(environment, activities, async () => {
      await run(1);
      await until(({ phase }) => phase === 'waiting for images');
      await loop().signal('poolGrew');
      await until(({ phase, remaining }) => phase === 'idle' && remaining === 0);
      await stop();
    });
  });

  it('keeps requests that arrive while it checks whether the pool grew', async () => {
    const { activities, fail } = fakeActivities();
    fail('draw:1', 'pool-exhausted');
    let looks = 0;
    let answer: (version: number) => void = () => undefined;
    const poolVersion: typeof activities.poolVersion = (asked) =>
      ++looks === 1 ? activities.poolVersion(asked) : new Promise<number>((resolve) => (answer = resolve));
    await withWorkers(environment, { ...activities, poolVersion }, async () => {
      await run(1);
      await until(({ phase }) => phase === 'waiting for images');
      // The first look finds a version that the loop has not seen, and with it no image.
      fail('draw:1', 'pool-exhausted');
      await environment.sleep('61 minutes');
      await until(({ phase }) => phase === 'waiting for images');
      const slept = environment.sleep('61 minutes');
      while (looks < 2) await sleep(50);
      await loop().executeUpdate('pause');
      answer(1);
      await slept;
      assert.equal((await until(({ phase }) => phase !== 'running')).phase, 'paused');
      await stop();
    });
  });

  it('replays an iteration from a step on, beside the finished one', async () => {
    const { activities, calls, state } = fakeActivities();
    await withWorkers(environment, activities, async () => {
      await run(2);
      await until(({ phase, remaining }) => phase === 'idle' && remaining === 0);
      await loop().executeUpdate('retryIteration', { args: [{ iteration: 1, from: 'train' }] });
      await until(() => state().iterations[0]?.others.length === 1);
      await until(({ phase }) => phase === 'idle');
      await stop();
    });
    assert.ok(calls.includes('prepare:1:train'));
    assert.equal(state().iterations.length, 2);
  });

  it('goes on with the next iteration after a stop and a start', async () => {
    const { activities } = fakeActivities();
    await withWorkers(environment, activities, async () => {
      await run(1);
      await until(({ phase, remaining }) => phase === 'idle' && remaining === 0);
      await stop();
      assert.equal((await run(1)).nextIteration, 2);
      await until(({ phase, remaining, rows }) => phase === 'idle' && remaining === 0 && rows.length === 2);
      await stop();
    });
  });

  it('holds before the next step while paused', async () => {
    const { activities, calls } = fakeActivities();
    await withWorkers(environment, activities, async () => {
      await run(1);
      await until(({ remaining }) => remaining === 0);
      await loop().executeUpdate('pause');
      await run(1);
      assert.equal((await status()).phase, 'paused');
      assert.ok(!calls.includes('draw:2'));
      await loop().executeUpdate('resume');
      await until(({ rows }) => rows.length === 2);
      await stop();
    });
  });

  it("fails at once under an id that is not a loop's, and names startLoop", async () => {
    const { activities } = fakeActivities();
    await withWorkers(environment, activities, async () => {
      const failed = environment.client.workflow.execute('trainingLoop', {
        workflowId: 'my-loop',
        taskQueue: LIGHT_QUEUE,
        args: [{}],
      });
      await assert.rejects(
        failed,
        (error) => error instanceof WorkflowFailedError && /my-loop.*startLoop/s.test(String(error.cause)),
      );
    });
  });

  it('refuses an invalid update before it enters the history', async () => {
    const { activities } = fakeActivities();
    await withWorkers(environment, activities, async () => {
      await run(1);
      await until(({ phase, remaining }) => phase === 'idle' && remaining === 0);
      const wrong = { config: { ...testConfig, train: { ...testConfig.train, speed: 'high' } } };
      for (const update of ['runIterations', 'setConfig'])
        await assert.rejects(
          loop().executeUpdate(update, { args: [wrong] }),
          (error: unknown) => error instanceof WorkflowUpdateFailedError && /speed/.test(String(error.cause?.message)),
        );
      const { events } = await loop().fetchHistory();
      const accepted = events?.filter(({ workflowExecutionUpdateAcceptedEventAttributes: one }) => one != null) ?? [];
      assert.equal(accepted.length, 1);
      await stop();
    });
  });

  it('compares settings with its own ones, also those that arrive before it has read the store', async () => {
    const { activities } = fakeActivities();
    const { atStep, open, until: opened } = stepGate('load');
    const slow: typeof activities = {
      ...activities,
      loadLoop: async (input) => {
        await opened('load');
        return { ...(await activities.loadLoop(input)), config: testConfig };
      },
    };
    await withWorkers(environment, slow, async () => {
      const { workflow } = environment.client;
      await workflow.start('trainingLoop', { workflowId: 'loop:cars', taskQueue: LIGHT_QUEUE, args: [{}] });
      await atStep;
      const asked = (config: object) =>
        loop().startUpdate('setConfig', { args: [{ config }], waitForStage: 'ACCEPTED' });
      const [other, own] = [
        await asked({ ...testConfig, pool: 'vans' }),
        await asked({ ...testConfig, chunkSize: 77 }),
      ];
      open();
      await assert.rejects(
        other.result(),
        (error: unknown) => error instanceof WorkflowUpdateFailedError && /not from/.test(String(error.cause?.message)),
      );
      await own.result();
      await stop();
    });
  });

  it('names a wrong field of startLoop, and the values allowed', async () => {
    const { activities } = fakeActivities();
    await withWorkers(environment, activities, async () => {
      const started = environment.client.workflow.execute('startLoop', {
        workflowId: 'any',
        taskQueue: LIGHT_QUEUE,
        args: [{ chunkSize: -1, colour: 'red' }],
      });
      await assert.rejects(
        started,
        (error) =>
          error instanceof WorkflowFailedError &&
          /chunkSize.*colour|colour.*chunkSize/s.test(String(error.cause)) &&
          /trainIterations/.test(String(error.cause)),
      );
      await environment.client.workflow.execute('startLoop', { workflowId: 'empty', taskQueue: LIGHT_QUEUE, args: [] });
    });
  });
});

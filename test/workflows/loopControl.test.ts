import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  WithStartWorkflowOperation,
  WorkflowFailedError,
  type WorkflowHandle,
  WorkflowUpdateFailedError,
} from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { Activities } from '../../activities/index.js';
import { createRunningActivities } from '../../activities/running.js';
import { LIGHT_QUEUE } from '../../domain/base/queues.js';
import type { LoopStatus, RunIterationsAnswer } from '../../domain/messages.js';
import { tellLoops } from '../../steps/workflows/poolNews.js';
import { localEnvironment, withWorkers } from '../support/servers/workflowEnvironment.js';
import { fakeActivities, testConfig } from '../support/standIns/fakeActivities.js';
import { faultAtCancel } from '../support/standIns/faultAtCancel.js';
import { stepGate } from '../support/standIns/stepGate.js';

/** Actions of people on loops in the Web UI and by commands, on a server with resets and terminations. */
describe('a training loop that people steer', () => {
  let environment: TestWorkflowEnvironment;
  before(async () => {
    // Small enough that a loop of a few iterations continues as new.
    environment = await localEnvironment(['--dynamic-config-value', 'limit.historyCount.suggestContinueAsNew=60']);
  });
  after(() => environment?.teardown());

  const workflow = () => environment.client.workflow;
  const loop = () => workflow().getHandle('loop:cars');
  const iteration = (n: number) => workflow().getHandle(`loop:cars:iteration:000${n}`);
  const status = (): Promise<LoopStatus> => loop().query<LoopStatus>('status');
  const run = (iterations: number, more: object = { settings: {} }): Promise<RunIterationsAnswer> =>
    workflow().executeUpdateWithStart<() => Promise<unknown>, RunIterationsAnswer, [unknown]>('runIterations', {
      args: [{ iterations, config: testConfig, ...more }],
      startWorkflowOperation: new WithStartWorkflowOperation('trainingLoop', {
        workflowId: 'loop:cars',
        taskQueue: LIGHT_QUEUE,
        args: [{}],
        workflowIdConflictPolicy: 'USE_EXISTING',
      }),
    });
  const until = async (done: (status: LoopStatus) => boolean): Promise<LoopStatus> => {
    for (;;) {
      const now = await status();
      if (done(now)) return now;
      await sleep(50);
    }
  };
  const stop = async (now = true): Promise<void> => {
    await loop().executeUpdate('stop', { args: [{ now }] });
    await loop().result();
  };
  /** With the real activities that look at other workflows, unless a test replaces them. */
  const steered = (activities: Activities, work: () => Promise<void>): Promise<void> => {
    const { isRunning, joinWorkflow } = createRunningActivities({ client: environment.client });
    return withWorkers(environment, { ...activities, isRunning, joinWorkflow }, work);
  };
  /** As the Web UI does: a new run from the first workflow task on. */
  const reset = async (handle: WorkflowHandle): Promise<void> => {
    const { events } = await handle.fetchHistory();
    const first = events?.find(({ workflowTaskCompletedEventAttributes: task }) => task != null);
    const { runId } = await handle.describe();
    await workflow().workflowService.resetWorkflowExecution({
      namespace: environment.namespace ?? 'default',
      workflowExecution: { workflowId: handle.workflowId, runId },
      workflowTaskFinishEventId: first?.eventId ?? null,
      requestId: randomUUID(),
      reason: 'as a person does',
    });
  };
  /** Until the loop waits for an iteration that it found running. */
  const untilJoined = async (): Promise<void> => {
    const isJoined = async () =>
      (await loop().describe()).raw.pendingActivities?.some(
        ({ activityType }) => activityType?.name === 'joinWorkflow',
      );
    while (!(await isJoined())) await sleep(50);
  };
  const refused = (words: RegExp) => (error: unknown) =>
    error instanceof WorkflowUpdateFailedError && words.test(String(error.cause?.message));

  it('saves and holds at once on request, says that it holds, and repeats the same step afterwards', async () => {
    const { atStep, until: untilOpen, open } = stepGate('train:1');
    const { activities, calls } = fakeActivities({ until: untilOpen });
    await steered(activities, async () => {
      await run(1);
      await atStep;
      const asked = await loop().executeUpdate<LoopStatus, [{ now: boolean }]>('pause', { args: [{ now: true }] });
      assert.equal(asked.phase, 'pausing');
      await until(({ phase }) => phase === 'paused');
      assert.equal((await iteration(1).query<{ held: boolean }>('progress')).held, true);
      assert.ok(!calls.includes('evaluate:1'));
      open();
      await loop().executeUpdate('resume');
      await until(({ phase }) => phase === 'idle');
      await stop();
    });
    assert.equal(calls.filter((call) => call === 'train:1').length, 2);
    assert.equal(calls.filter((call) => call === 'sample:1').length, 1);
  });

  it('holds and goes on if a fault ends the step that a pause is ending', async () => {
    const { atStep, until: untilOpen } = faultAtCancel('train:1');
    const { activities, calls } = fakeActivities({ until: untilOpen });
    await steered(activities, async () => {
      await run(1);
      await atStep;
      await loop().executeUpdate('pause', { args: [{ now: true }] });
      await until(({ phase }) => phase === 'paused' || phase === 'failed');
      assert.equal((await status()).phase, 'paused');
      await loop().executeUpdate('resume');
      await until(({ phase }) => phase === 'idle');
      await stop();
    });
    assert.equal(calls.filter((call) => call === 'train:1').length, 2);
  });

  it('waits for a running scan when its iteration is reset, and does not start another', async () => {
    const { activities, calls } = fakeActivities({
      joined: async () => ({ status: 'failed', code: 'scan-incomplete', message: 'as the scan said', hint: null }),
    });
    await withWorkers(environment, activities, async () => {
      // Another run holds the scan's id: the one that began before a reset.
      const other = await workflow().start('mislabelScan', {
        workflowId: 'loop:cars:iteration:0001:scan',
        taskQueue: 'nobody-polls-this',
        args: [{}],
      });
      await run(1);
      const { error } = await until(({ phase }) => phase === 'failed');
      assert.match(error ?? '', /as the scan said/);
      assert.ok(calls.includes('join:loop:cars:iteration:0001:scan'));
      await other.terminate();
      await loop().executeUpdate('retryIteration', { args: [{}] });
      await until(({ phase }) => phase === 'idle');
      await stop();
    });
  });

  it('finishes with one scan if its iteration is reset in the middle of it', async () => {
    const { atStep, until: untilOpen, open } = stepGate('shard:0');
    const { activities, calls } = fakeActivities({ until: untilOpen });
    await steered(activities, async () => {
      await run(1);
      await atStep;
      await reset(iteration(1));
      const before = calls.length;
      while (!calls.slice(before).some((call) => call === 'draw:1')) await sleep(50);
      open();
      await until(({ phase, nextIteration }) => phase === 'idle' && nextIteration === 2);
      await stop();
    });
    assert.equal(calls.filter((call) => call.startsWith('record:1:finished')).length, 1);
    assert.ok(calls.filter((call) => call.startsWith('reduce')).length >= 1);
  });

  it('joins, holds and cancels an iteration that another run of the loop began', async () => {
    const { atStep, until: untilOpen } = stepGate('train:1');
    const { activities } = fakeActivities({ until: untilOpen });
    await steered(activities, async () => {
      await run(1);
      await atStep;
      await loop().executeUpdate('pause');
      await loop().terminate('by a person');
      assert.equal((await iteration(1).describe()).status.name, 'RUNNING');
      await run(1);
      // The new loop is not paused, so what it joins is not held either.
      await until(({ iteration: running }) => running === 1);
      await stop();
      assert.equal((await iteration(1).describe()).status.name, 'CANCELLED');
    });
  });

  it('fails if its iteration is terminated, and runs it again when a person retries', async () => {
    const { atStep, until: untilOpen, open } = stepGate('train:1');
    const { activities } = fakeActivities({ until: untilOpen });
    await steered(activities, async () => {
      await run(2);
      await atStep;
      await iteration(1).terminate('by a person');
      const failed = await until(({ phase }) => phase === 'failed');
      assert.match(failed.error ?? '', /iteration 1/);
      assert.equal(failed.remaining, 2);
      open();
      await loop().executeUpdate('retryIteration', { args: [{}] });
      await until(({ phase, nextIteration }) => phase === 'idle' && nextIteration === 3);
      await stop();
    });
  });

  it('sees at once that the iteration of an earlier run is terminated, but ignores one that is reset', async () => {
    const { atStep, until: untilOpen, open } = stepGate('train:1');
    const { activities } = fakeActivities({ until: untilOpen });
    await steered(activities, async () => {
      await run(1);
      await atStep;
      await loop().terminate('by a person');
      await run(1);
      // Before it has joined, an iteration that was ended is one that it starts anew.
      await untilJoined();
      await reset(iteration(1));
      assert.equal((await loop().query<LoopStatus>('status')).phase, 'running');
      await iteration(1).terminate('by a person');
      const failed = await until(({ phase }) => phase === 'failed');
      assert.match(failed.error ?? '', /^iteration 1: it was ended from outside/);
      open();
      await loop().executeUpdate('retryIteration', { args: [{}] });
      await until(({ phase, nextIteration }) => phase === 'idle' && nextIteration === 2);
      await stop();
    });
  });

  it('goes on after a failure with its own count and settings when a Schedule starts it', async () => {
    const { activities, fail, state } = fakeActivities();
    fail('train:1', 'training-diverged');
    await steered(activities, async () => {
      await run(3, { settings: { seed: 11 } });
      await until(({ phase }) => phase === 'failed');
      const answer = await run(1);
      assert.deepEqual([answer.outcome, answer.remaining, answer.config.seed], ['resumed', 3, 11]);
      await until(({ phase, nextIteration }) => phase === 'idle' && nextIteration === 4);
      assert.deepEqual(
        state().iterations.map(({ current }) => current.config.seed),
        [11, 11, 11],
      );
      await stop();
    });
  });

  it('tries again with other settings, which then become those of the loop', async () => {
    const { activities, fail, state } = fakeActivities();
    fail('train:1', 'training-diverged');
    await steered(activities, async () => {
      await run(2);
      await until(({ phase }) => phase === 'failed');
      await assert.rejects(
        loop().executeUpdate('retryIteration', { args: [{ settings: { train: { speed: 1 } } }] }),
        refused(/speed/),
      );
      assert.equal((await status()).phase, 'failed');
      await loop().executeUpdate('retryIteration', { args: [{ settings: { train: { lrHead: 0.0001 } } }] });
      await until(({ phase, nextIteration }) => phase === 'idle' && nextIteration === 3);
      assert.deepEqual(
        state().iterations.map(({ current }) => current.config.train.lrHead),
        [0.0001, 0.0001],
      );
      await stop();
    });
  });

  it('refuses impossible requests with a reason: replays in a run, missing iterations, needless retries', async () => {
    const { atStep, until: untilOpen, open } = stepGate('train:1');
    const { activities, calls } = fakeActivities({ until: untilOpen });
    await steered(activities, async () => {
      await run(1);
      await atStep;
      const retry = (args: object) => loop().executeUpdate('retryIteration', { args: [args] });
      await assert.rejects(retry({ iteration: 1, from: 'train' }), refused(/iteration 1 is running/));
      open();
      await until(({ phase }) => phase === 'idle');
      await assert.rejects(retry({}), refused(/nothing failed/));
      await assert.rejects(retry({ iteration: 77, from: 'train' }), refused(/no iteration 77 yet; the last one is 1/));
      await stop();
    });
    assert.equal(calls.filter((call) => call.startsWith('prepare')).length, 1);
  });

  it('takes a start during a stop as a wish to go on', async () => {
    const { atStep, until: untilOpen, open } = stepGate('train:1');
    const { activities } = fakeActivities({ until: untilOpen });
    await steered(activities, async () => {
      await run(3);
      await atStep;
      const stopping = await loop().executeUpdate<LoopStatus, [object]>('stop', { args: [{}] });
      assert.deepEqual([stopping.phase, stopping.remaining], ['stopping', 1]);
      assert.equal((await run(1)).outcome, 'queued');
      open();
      await until(({ phase, nextIteration }) => phase === 'idle' && nextIteration === 3);
      await stop();
    });
  });

  it('carries a failure, a pause and waiting requests through continue-as-new', async () => {
    const { activities, fail } = fakeActivities();
    fail('train:4', 'training-diverged', 1);
    await steered(activities, async () => {
      await run(6);
      await until(({ phase }) => phase === 'failed');
      // Each update is a few events: enough of them, and the run continues as new.
      const first = (await loop().describe()).runId;
      while ((await loop().describe()).runId === first) {
        await loop().executeUpdate('pause');
        await loop().executeUpdate('resume');
      }
      const after = await status();
      assert.deepEqual([after.phase, after.remaining, after.nextIteration], ['failed', 3, 4]);
      await loop().executeUpdate('retryIteration', { args: [{}] });
      await until(({ phase, nextIteration }) => phase === 'idle' && nextIteration === 7);
      await stop();
    });
  });

  it('waits for images without a failed run, and looks again only after the pool changed', async () => {
    const { activities, fail } = fakeActivities();
    fail('draw:1', 'pool-exhausted');
    await steered(activities, async () => {
      await run(1);
      await until(({ phase }) => phase === 'waiting for images');
      assert.equal((await iteration(1).describe()).status.name, 'COMPLETED');
      await tellLoops(environment.client, 'trucks');
      await loop().executeUpdate('resume');
      assert.equal((await loop().query<LoopStatus>('status')).phase, 'waiting for images');
      // The service's list of workflows may be a moment behind.
      while ((await loop().query<LoopStatus>('status')).phase !== 'idle') {
        await tellLoops(environment.client, 'cars');
        await sleep(100);
      }
      await stop();
    });
  });

  it('fails at once under an unknown type, and names those that people start', async () => {
    await steered(fakeActivities().activities, async () => {
      const mistyped = workflow().execute('traningLoop', { workflowId: 'a', taskQueue: LIGHT_QUEUE, args: [{}] });
      await assert.rejects(
        mistyped,
        (error) =>
          error instanceof WorkflowFailedError && /traningLoop.*startLoop.*mislabelScan/s.test(String(error.cause)),
      );
    });
  });

  it('fails at once if a person starts the loop itself with nothing but a count', async () => {
    await steered(fakeActivities().activities, async () => {
      const started = workflow().execute('trainingLoop', {
        workflowId: 'loop:empty',
        taskQueue: LIGHT_QUEUE,
        args: [{ remaining: 3 }],
      });
      await assert.rejects(
        started,
        (error) => error instanceof WorkflowFailedError && /no settings yet.*startLoop/s.test(String(error.cause)),
      );
    });
  });
});

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { cancelled, heartbeat } from '@temporalio/activity';
import { WithStartWorkflowOperation, WorkflowFailedError } from '@temporalio/client';
import { CancelledFailure } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { LIGHT_QUEUE } from '../../domain/base/queues.js';
import { type LoopConfig, loopConfigSchema } from '../../domain/config.js';
import type { LoopStatus } from '../../domain/messages.js';
import type { IterationContext, StepResult } from '../../domain/steps.js';
import { timeSkippingEnvironment, withWorkers } from '../support/servers/workflowEnvironment.js';
import { fakeActivities, testConfig } from '../support/standIns/fakeActivities.js';

const tune = { enabled: true, trials: 4, rungs: 2, reduction: 2 };
/** Higher head rates are better; those of proposals grow with their number, and the loop's own is 0.002. */
const miouOf = ({ lrHead }: { lrHead?: number }): number => lrHead ?? 0;

describe('hyperparameterSearch', () => {
  let environment: TestWorkflowEnvironment;
  let searches = 0;
  before(async () => {
    environment = await timeSkippingEnvironment();
  });
  after(() => environment?.teardown());

  const configWith = (settings: object): LoopConfig =>
    loopConfigSchema.parse({ ...testConfig, tune: { ...tune, ...settings } });
  const search = (settings: object = {}): Promise<StepResult> => {
    const context: IterationContext = {
      loop: 'cars',
      iteration: 1,
      config: configWith(settings),
      previous: null,
      force: null,
    };
    return environment.client.workflow.execute<(input: unknown) => Promise<StepResult>>('hyperparameterSearch', {
      workflowId: `loop:cars:iteration:0001:tune-${searches++}`,
      taskQueue: LIGHT_QUEUE,
      args: [{ context, results: {} }],
    });
  };

  it('takes the loop’s own settings through all rungs, then proposes, trains and promotes trials', async () => {
    const { activities, calls, tables } = fakeActivities({ miouOf });
    await withWorkers(environment, activities, () => search());
    assert.deepEqual(calls, [
      'trial:0:0',
      'trial:0:1',
      'propose:1',
      'trial:1:0',
      'propose:2',
      'trial:2:0',
      'trial:2:1',
      'propose:3',
      'trial:3:0',
      'trial:3:1',
      'finishTuning',
    ]);
    assert.deepEqual(
      tables[0]?.trials.map(({ settings, values }) => [settings.lrHead, values]),
      [
        [0.002, [0.002, 0.002]],
        [0.01, [0.01]],
        [0.02, [0.02, 0.02]],
        [0.03, [0.03, 0.03]],
      ],
    );
  });

  it('records a failed trial and goes on', async () => {
    const { activities, fail, tables } = fakeActivities({ miouOf });
    fail('trial:2:0', 'training-diverged');
    await withWorkers(environment, activities, () => search());
    assert.match(tables[0]?.trials[2]?.error ?? '', /trial:2:0 failed as the test asked/);
    assert.equal(tables[0]?.trials.length, 4);
  });

  it('ends if the loop’s own settings cannot be trained, since there is nothing to compare with', async () => {
    const { activities, calls, fail, tables } = fakeActivities({ miouOf });
    fail('trial:0:0', 'training-diverged');
    const result = await withWorkers(environment, activities, () => search());
    assert.deepEqual(calls, ['trial:0:0', 'finishTuning']);
    assert.match(tables[0]?.stopped ?? '', /nothing to compare with/);
    assert.equal(result.facts.proposed, false);
  });

  it('starts no training that would not end within its hours', async () => {
    // Each rung of the stand-in says that it took an hour, in a schedule whose second one is as long as the first.
    const { activities, calls, tables } = fakeActivities({ miouOf });
    await withWorkers(environment, activities, () => search({ hours: 0.5 }));
    assert.deepEqual(calls, ['trial:0:0', 'finishTuning']);
    assert.match(tables[0]?.stopped ?? '', /budget of 0.5 h leaves no time for rung 2 of trial 0/);
  });

  it('runs as many trials at once as allowed', async () => {
    const { activities, tables } = fakeActivities({ miouOf });
    let running = 0;
    let most = 0;
    const trainTrial: typeof activities.trainTrial = async (asked) => {
      most = Math.max(most, ++running);
      // The first one waits for company, however busy the machine is; each stays long enough to be met by one too many.
      while (most < 2) await sleep(20);
      await sleep(100);
      running -= 1;
      return activities.trainTrial(asked);
    };
    await withWorkers(environment, { ...activities, trainTrial }, () => search({ parallel: 2, trials: 6 }));
    assert.equal(most, 2);
    assert.equal(tables[0]?.trials.length, 6);
    assert.equal(new Set(tables[0]?.trials.map(({ settings }) => settings.lrHead)).size, 6);
  });

  it('is cancelled together with the current training', async () => {
    const { activities, tables } = fakeActivities();
    let begun = false;
    const trainTrial = async (): Promise<never> => {
      begun = true;
      // A worker learns of a cancellation by its heartbeat.
      const beat = setInterval(() => heartbeat(), 100);
      return cancelled().finally(() => clearInterval(beat));
    };
    const config = configWith({});
    const context = { loop: 'cars', iteration: 1, config, previous: null, force: null };
    const handle = await environment.client.workflow.start('hyperparameterSearch', {
      workflowId: 'loop:cars:iteration:0001:tune',
      taskQueue: LIGHT_QUEUE,
      args: [{ context: { ...context, config: { ...config, durability: { trainHeartbeatSeconds: 2 } } }, results: {} }],
    });
    await withWorkers(environment, { ...activities, trainTrial }, async () => {
      while (!begun) await sleep(50);
      await handle.cancel();
      await assert.rejects(
        handle.result(),
        (error: unknown) => error instanceof WorkflowFailedError && error.cause instanceof CancelledFailure,
      );
    });
    assert.equal(tables.length, 0);
  });
});

describe('a loop with tuning', () => {
  let environment: TestWorkflowEnvironment;
  before(async () => {
    environment = await timeSkippingEnvironment();
  });
  after(() => environment?.teardown());

  const loop = () => environment.client.workflow.getHandle('loop:cars');
  const run = (settings: object): Promise<unknown> =>
    environment.client.workflow.executeUpdateWithStart<() => Promise<unknown>, unknown, [unknown]>('runIterations', {
      args: [{ iterations: 2, config: loopConfigSchema.parse({ ...testConfig, tune: { ...tune, ...settings } }) }],
      startWorkflowOperation: new WithStartWorkflowOperation('trainingLoop', {
        workflowId: 'loop:cars',
        taskQueue: LIGHT_QUEUE,
        args: [{}],
        workflowIdConflictPolicy: 'USE_EXISTING',
      }),
    });
  const idle = async (): Promise<LoopStatus> => {
    for (;;) {
      const status = await loop().query<LoopStatus>('status');
      if (status.phase === 'idle' && status.remaining === 0) return status;
      await sleep(50);
    }
  };
  const stop = async (): Promise<void> => {
    await loop().executeUpdate('stop', { args: [{ now: true }] });
    await loop().result();
  };
  /** Head rates that the iterations were told to train with. */
  const ratesOf = (fakes: ReturnType<typeof fakeActivities>): number[] =>
    fakes.state().iterations.map(({ current }) => current.config.train.lrHead);

  it('searches between the decision and the report, and trains the next iteration with the result', async () => {
    const fakes = fakeActivities({ miouOf });
    await withWorkers(environment, fakes.activities, async () => {
      await run({ adopt: 'auto' });
      assert.equal((await idle()).proposal, null);
      await stop();
    });
    const { calls } = fakes;
    assert.ok(calls.indexOf('decide:1') < calls.indexOf('trial:0:0'));
    assert.ok(calls.indexOf('finishTuning') < calls.indexOf('report:1'));
    assert.deepEqual(ratesOf(fakes), [0.002, 0.03]);
  });

  it('keeps its proposal until somebody adopts it', async () => {
    const fakes = fakeActivities({ miouOf });
    await withWorkers(environment, fakes.activities, async () => {
      await run({ adopt: 'approve' });
      assert.equal((await idle()).proposal?.settings.lrHead, 0.03);
      assert.deepEqual(ratesOf(fakes), [0.002, 0.002]);
      const status = await loop().executeUpdate<LoopStatus, []>('adoptProposal', { args: [] });
      assert.equal(status.proposal, null);
      assert.equal(fakes.state().adopted?.settings.lrHead, 0.03);
      await stop();
    });
  });
});

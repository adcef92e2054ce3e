import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { WithStartWorkflowOperation } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { Activities } from '../../activities/index.js';
import { LIGHT_QUEUE } from '../../domain/base/queues.js';
import { previousResults } from '../../domain/loop/iterationStart.js';
import type { LoopStatus } from '../../domain/messages.js';
import { configWith } from '../../domain/settings/loopConfig.js';
import type { IterationContext } from '../../domain/steps.js';
import { localEnvironment, withWorkers } from '../support/servers/workflowEnvironment.js';
import { fakeActivities, testConfig } from '../support/standIns/fakeActivities.js';
import { faultAtCancel } from '../support/standIns/faultAtCancel.js';

const config = configWith(testConfig, { sample: { controlArm: true } });
const TRAINED = '1'.repeat(64);
const CONTROL = '2'.repeat(64);

describe('the control of an iteration', () => {
  let environment: TestWorkflowEnvironment;
  before(async () => {
    environment = await localEnvironment();
  });
  after(() => environment?.teardown());

  const loop = () => environment.client.workflow.getHandle('loop:cars');
  const run = (iterations: number) =>
    environment.client.workflow.executeUpdateWithStart('runIterations', {
      args: [{ iterations, config }],
      startWorkflowOperation: new WithStartWorkflowOperation('trainingLoop', {
        ...{ workflowId: 'loop:cars', taskQueue: LIGHT_QUEUE, args: [{}], workflowIdConflictPolicy: 'USE_EXISTING' },
      }),
    });
  const until = async (done: (status: LoopStatus) => boolean): Promise<void> => {
    while (!done(await loop().query<LoopStatus>('status'))) await sleep(50);
  };
  const stop = async (): Promise<void> => {
    await loop().executeUpdate('stop', { args: [{ now: true }] });
    await loop().result();
  };
  const isIdle = ({ phase, remaining }: LoopStatus): boolean => phase === 'idle' && remaining === 0;
  const steps = (calls: readonly string[], iteration: number): string[] => {
    const own = calls.filter((call) => call.endsWith(`:${iteration}`) && !/^(shard|plan|prepare)/.test(call));
    return own.map((call) => call.split(':')[0] ?? '');
  };

  it('comes after the decision and before the report', async () => {
    const { activities, calls, state } = fakeActivities();
    await withWorkers(environment, activities, async () => {
      await run(1);
      await until(isIdle);
      await stop();
    });
    const order = ['draw', 'sample', 'train', 'evaluate', 'decide', 'arm', 'control', 'report'];
    assert.deepEqual(steps(calls, 1), order);
    assert.equal(state().iterations[0]?.current.results.control?.facts.gain, 0.02);
  });

  it('does not fail the iteration if it fails: the record says why', async () => {
    const { activities, calls, fail, state } = fakeActivities();
    fail('arm:1', 'training-diverged');
    fail('control:2', 'not-found');
    await withWorkers(environment, activities, async () => {
      await run(2);
      await until(isIdle);
      await stop();
    });
    const before = ['draw', 'sample', 'train', 'evaluate', 'decide', 'arm'];
    assert.deepEqual(steps(calls, 1), [...before, 'skipControl', 'report']);
    assert.deepEqual(steps(calls, 2), [...before, 'control', 'skipControl', 'report']);
    const outcomes = state().iterations.map(({ current }) => [current.status, current.results.control?.facts.why]);
    assert.deepEqual(outcomes, [
      ['finished', 'arm:1 failed as the test asked'],
      ['finished', 'control:2 failed as the test asked'],
    ]);
  });

  it('leaves the next iteration to the model of the loop', async () => {
    const { activities, state } = fakeActivities();
    const planned: IterationContext[] = [];
    const watched: Activities = {
      ...activities,
      train: async (input) => ({ ...(await activities.train(input)), digest: TRAINED }),
      trainControl: async (input) => ({ ...(await activities.trainControl(input)), digest: CONTROL }),
      compareControl: async (input) => {
        assert.deepEqual([input.results.train?.digest, input.arm.digest], [TRAINED, CONTROL]);
        return { ...(await activities.compareControl(input)), digest: CONTROL };
      },
      prepareIteration: async (request) => ({
        ...(await activities.prepareIteration(request)),
        previous: previousResults(state(), request.iteration),
      }),
      planScan: async (input) => {
        planned.push(input.context);
        return activities.planScan(input);
      },
    };
    await withWorkers(environment, watched, async () => {
      await run(2);
      await until(isIdle);
      await stop();
    });
    const previous = planned[1]?.previous;
    assert.equal(previous?.train.digest, TRAINED);
    assert.equal(previous?.control?.digest, CONTROL);
    const others = Object.entries(previous ?? {}).filter(([step]) => step !== 'control');
    assert.ok(others.length === 5 && others.every(([, result]) => result.digest !== CONTROL));
  });

  it('holds while the loop is paused, also if a fault ends it then, and goes on afterwards', async () => {
    const { atStep, until: untilOpen } = faultAtCancel('arm:1');
    const { activities, calls, state } = fakeActivities({ until: untilOpen });
    await withWorkers(environment, activities, async () => {
      await run(1);
      await atStep;
      await loop().executeUpdate('pause', { args: [{ now: true }] });
      await until(({ phase }) => phase === 'paused');
      await loop().executeUpdate('resume');
      await until(isIdle);
      await stop();
    });
    assert.ok(!calls.includes('skipControl:1'));
    assert.equal(state().iterations[0]?.current.results.control?.facts.gain, 0.02);
  });
});

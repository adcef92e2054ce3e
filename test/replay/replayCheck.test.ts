import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { LIGHT_QUEUE } from '../../domain/base/queues.js';
import { openWorkflows, replayCheck } from '../../workers/checks/replayCheck.js';
import { ROOT } from '../support/binaries.js';
import { localEnvironment, withWorkers, workflowBundle } from '../support/servers/workflowEnvironment.js';
import { fakeActivities, testConfig } from '../support/standIns/fakeActivities.js';
import { stepGate } from '../support/standIns/stepGate.js';

describe('the check of open workflows before a rollout', () => {
  let environment: TestWorkflowEnvironment;
  before(async () => {
    environment = await localEnvironment();
  });
  after(() => environment.teardown());

  it('passes if they replay, and else names the workflow, the event and the command', async () => {
    const { client } = environment;
    const { atStep: atTraining, open: release, until } = stepGate('train:1');
    const { activities } = fakeActivities({ until });
    const bundle = await workflowBundle();
    const broken = await bundleWorkflowCode({
      workflowsPath: join(ROOT, 'dist', 'test', 'replay', 'brokenWorkflows.js'),
      logger: new DefaultLogger('ERROR'),
    });
    assert.deepEqual((await replayCheck(client, broken)).broken, [], 'nothing is open');
    await withWorkers(environment, activities, async () => {
      const loop = client.workflow.getHandle('loop:cars');
      await client.workflow.start('trainingLoop', { workflowId: 'loop:cars', taskQueue: LIGHT_QUEUE, args: [{}] });
      await loop.executeUpdate('runIterations', { args: [{ iterations: 1, config: testConfig }] });
      await atTraining;
      while ((await openWorkflows(client)).length < 2) await new Promise((resolve) => setTimeout(resolve, 100));

      try {
        const whole = await replayCheck(client, bundle);
        assert.deepEqual([whole.replayed, whole.left, whole.broken], [2, 0, []]);

        const { broken: found } = await replayCheck(client, broken);
        assert.deepEqual(
          found.map(({ workflowId, type }) => [workflowId, type]),
          [['loop:cars:iteration:0001', 'loopIteration']],
        );
        assert.match(found[0]?.event ?? '', /^\d+ \(draw\)$/);
        assert.match(found[0]?.problem ?? '', /train/);

        const build = found[0]?.build ?? '';
        assert.notEqual(build, '', 'histories name the build that ran them');
        assert.equal(
          (await replayCheck(client, broken, { build })).replayed,
          0,
          'those of this very build are passed over',
        );
        assert.equal((await replayCheck(client, broken, { until: 0 })).left, 2, 'and none is looked at without time');
      } finally {
        // An activity that is held would keep its worker from ending.
        release();
      }
      await loop.executeUpdate('stop', { args: [{ now: true }] });
      await loop.result();
    });
  });
});

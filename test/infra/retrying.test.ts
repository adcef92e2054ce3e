import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import type { Activities } from '../../activities/index.js';
import { PartloopError } from '../../domain/base/errors.js';
import { iterationWorkflowId, scanWorkflowId } from '../../domain/base/ids.js';
import { LIGHT_QUEUE } from '../../domain/base/queues.js';
import { workerIdentity } from '../../domain/base/workerIdentity.js';
import { pollerStatus } from '../../infra/stack/pollers.js';
import { loopTroubles } from '../../steering/loopTroubles.js';
import { retryingText } from '../../steering/retrying.js';
import { castErrors } from '../../workers/castErrors.js';
import { localEnvironment, workflowBundle } from '../support/servers/workflowEnvironment.js';
import { fakeActivities, stepResult, testConfig } from '../support/standIns/fakeActivities.js';

describe('work that is tried again and again', function () {
  this.timeout(120_000);
  let environment: TestWorkflowEnvironment;
  before(async () => {
    environment = await localEnvironment();
  });
  after(() => environment?.teardown());

  it('is reported with its step, try, failure and machine from the third try on, as is an unpolled queue', async () => {
    const { activities } = fakeActivities({ shards: 1 });
    let tries = 0;
    const planScan: Activities['planScan'] = async (input) => {
      if (++tries > 3) return activities.planScan(input);
      throw new PartloopError('store-unavailable', 'the store did not answer for plan.json', { hint: 'Wait.' });
    };
    const light = await Worker.create({
      connection: environment.nativeConnection,
      taskQueue: LIGHT_QUEUE,
      identity: workerIdentity('light', 4711, 'host-3'),
      activities: { ...activities, planScan } satisfies Activities,
      workflowBundle: await workflowBundle(),
      interceptors: { activity: [castErrors('light')] },
    });
    const workflowId = scanWorkflowId(iterationWorkflowId('cars', 1));
    const context = { loop: 'cars', iteration: 1, config: testConfig, previous: null, force: null };
    const status = { loop: 'cars', iteration: 1 };
    await light.runUntil(async () => {
      const handle = await environment.client.workflow.start('mislabelScan', {
        workflowId,
        taskQueue: LIGHT_QUEUE,
        args: [{ context, draw: stepResult('draw') }],
      });
      let troubles = await loopTroubles(environment.client, status);
      assert.deepEqual(troubles.retrying, []);
      while (troubles.retrying.length === 0) {
        await sleep(50);
        troubles = await loopTroubles(environment.client, status);
      }
      const [told] = troubles.retrying;
      assert.equal(told?.workflowId, workflowId);
      assert.ok((told?.attempt ?? 0) >= 3);
      assert.ok(told);
      const text = retryingText(told);
      assert.match(
        text,
        /^planScan of loop:cars:iteration:0001:scan, try \d+, by light on host-3: the store did not answer for plan\.json/,
      );
      assert.match(text, /plan\.json\. Wait\. (Next try in \d+ s|This try is under way)\.$/);
      const seen = await pollerStatus(environment.address, environment.namespace ?? 'default');
      assert.equal(seen?.retrying[0]?.step, 'planScan');
      // Nobody polls the queue of scans: the judges wait there.
      while (troubles.unattended.length === 0) {
        await sleep(100);
        troubles = await loopTroubles(environment.client, status);
      }
      assert.match(troubles.unattended.join(' '), /1 activity task waits on queue partloop-scan, which nobody polls/);
      await handle.terminate();
    });
  });
});

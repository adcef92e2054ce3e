import assert from 'node:assert/strict';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { runningUsers } from '../../cli/pool/poolUsers.js';
import { LIGHT_QUEUE } from '../../domain/base/queues.js';
import { venvBinary } from '../support/binaries.js';

describe('the users of a pool according to Temporal', function () {
  this.timeout(120_000);
  let environment: TestWorkflowEnvironment;
  before(async () => {
    environment = await TestWorkflowEnvironment.createLocal({
      server: { executable: { type: 'existing-path', path: venvBinary('temporal') } },
    });
  });
  after(() => environment.teardown());

  /** Nobody polls: a started workflow runs until somebody ends it. */
  const start = (workflowType: string, workflowId: string, input: unknown) =>
    environment.client.workflow.start(workflowType, { workflowId, taskQueue: LIGHT_QUEUE, args: [input] });

  /** Listings lag behind by some moments. */
  async function settled(pool: string, stored: ReadonlyMap<string, string>, count: number) {
    for (let attempt = 0; ; attempt++) {
      const users = await runningUsers(environment.client, pool, stored);
      if (users.running.length === count || attempt === 100) return users;
      await new Promise((done) => setTimeout(done, 100));
    }
  }

  it('are unfinished loops, iterations and scans, and Schedules, of this pool or an unknown one', async () => {
    await start('trainingLoop', 'loop:nightly', {});
    await start('trainingLoop', 'loop:vans', {});
    await start('loopIteration', 'loop:vans:iteration:0001', { context: { config: { pool: 'vans' } } });
    await start('mislabelScan', 'scan:s1', { pool: 'cars' });
    await start('mislabelScan', 'scan:s2', { pool: 'cars-2' });
    await start('trainingLoop', 'loop:new', {});
    const ended = await start('trainingLoop', 'loop:ended', {});
    await ended.terminate();
    const { client } = environment;
    for (const [name, input] of [
      ['cars', { pool: 'cars' }],
      ['vans', { pool: 'vans' }],
      ['nightly', { loop: 'nightly' }],
    ] as const) {
      await client.schedule.create({
        scheduleId: `start-loop:${name}`,
        spec: {},
        action: { type: 'startWorkflow', workflowType: 'startLoop', taskQueue: LIGHT_QUEUE, args: [input] },
        state: { paused: true },
      });
    }
    const stored = new Map([['nightly', 'cars']]);
    const { running, schedules } = await settled('cars', stored, 3);
    assert.deepEqual(running, ['loop:new', 'loop:nightly', 'scan:s1']);
    assert.deepEqual(schedules, ['cars', 'nightly']);
    assert.deepEqual((await settled('cars-2', stored, 2)).running, ['loop:new', 'scan:s2']);
  });
});

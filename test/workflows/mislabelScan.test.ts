import assert from 'node:assert/strict';
import { WorkflowFailedError } from '@temporalio/client';
import { CancelledFailure } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { Activities } from '../../activities/index.js';
import { LIGHT_QUEUE } from '../../domain/base/queues.js';
import { scanProgressSchema } from '../../domain/scan/progress.js';
import {
  localEnvironment,
  timeSkippingEnvironment,
  withOtherWorkers,
  withWorkers,
} from '../support/servers/workflowEnvironment.js';
import { fakeActivities, stepResult, testConfig } from '../support/standIns/fakeActivities.js';

const context = { loop: 'cars', iteration: 1, config: testConfig, previous: null, force: null };

describe('mislabelScan', () => {
  let environment: TestWorkflowEnvironment;
  before(async () => {
    environment = await timeSkippingEnvironment();
  });
  after(() => environment?.teardown());

  const scan = (id: string): Promise<unknown> =>
    environment.client.workflow.execute('mislabelScan', {
      workflowId: id,
      taskQueue: LIGHT_QUEUE,
      args: [{ context, draw: stepResult('draw') }],
    });

  it('trains the folds first, tries the models, then judges every shard once, also beyond one run', async () => {
    const { activities, calls } = fakeActivities({ shards: 260, folds: [0, 1] });
    await withWorkers(environment, activities, () => scan('scan-many'));
    assert.deepEqual(calls.slice(0, 4), ['plan:1', 'fold:0', 'fold:1', 'judges']);
    assert.equal(calls.filter((call) => call === 'judges').length, 1);
    const shards = calls
      .filter((call) => call.startsWith('shard:'))
      .map((call) => Number(call.slice(6)))
      .sort((a, b) => a - b);
    assert.deepEqual(
      shards,
      Array.from({ length: 260 }, (_, shard) => shard),
    );
    assert.equal(calls.at(-1), 'reduce:');
  });

  it('goes on without a shard that keeps failing if enough others succeed', async () => {
    const { activities, calls, fail } = fakeActivities({ shards: 40 });
    fail('shard:7', 'data-invalid', 9);
    await withWorkers(environment, activities, () => scan('scan-one-bad'));
    assert.equal(calls.at(-1), 'reduce:7');
    assert.equal(calls.filter((call) => call === 'shard:7').length, 2, 'tried again once, after the others');
    assert.equal(calls.at(-2), 'shard:7');
  });

  it('retries only shards that failed by a passing fault, after the others, until they succeed', async () => {
    const { activities, calls, fail } = fakeActivities({ shards: 260 });
    fail('shard:3', 'setup-incomplete', 1);
    fail('shard:255', 'setup-incomplete', 3);
    await withWorkers(environment, activities, () => scan('scan-passing-fault'));
    assert.equal(calls.at(-1), 'reduce:');
    const shards = calls.filter((call) => call.startsWith('shard:'));
    assert.deepEqual(shards.slice(260).sort(), ['shard:255', 'shard:255', 'shard:255', 'shard:3']);
  });

  it('waits if a passing fault takes too many shards, and goes on when it is over', async () => {
    const { activities, calls, fail } = fakeActivities({ shards: 40 });
    for (let shard = 0; shard < 40; shard++) fail(`shard:${shard}`, 'setup-incomplete', shard < 8 ? 2 : 0);
    await withWorkers(environment, activities, () => scan('scan-all-refused'));
    assert.equal(calls.at(-1), 'reduce:');
    const shards = calls.filter((call) => call.startsWith('shard:'));
    assert.deepEqual([...new Set(shards)].sort(), Array.from({ length: 40 }, (_, shard) => `shard:${shard}`).sort());
    assert.ok(shards.length < 40 + 2 * 8 + 1, 'the rest is not tried while it is known to fail');
  });

  it('fails with the fault if it does not pass', async () => {
    const { activities, fail } = fakeActivities({ shards: 4 });
    fail('shard:1', 'setup-incomplete', 99);
    await withWorkers(environment, activities, () =>
      assert.rejects(
        scan('scan-refused'),
        (error) =>
          error instanceof WorkflowFailedError && /shard:1 failed/.test(String(error.cause?.cause ?? error.cause)),
      ),
    );
  });

  it('judges with an older worker, which answers the trial without a setup', async () => {
    const { activities, calls } = fakeActivities({ shards: 2 });
    const asked: object[] = [];
    const old = {
      ...activities,
      tryJudges: async () => ({ warnings: [] }),
      scanShard: async (shard: Parameters<Activities['scanShard']>[0]) => {
        asked.push(shard);
        return activities.scanShard(shard);
      },
    };
    await withOtherWorkers(environment, old, () => scan('scan-old-worker'));
    assert.deepEqual(Object.keys(asked[0] ?? {}).sort(), ['context', 'folds', 'planKey', 'shard']);
    assert.equal(calls.at(-1), 'reduce:');
  });

  it('judges nothing with a model that fails its trial', async () => {
    const { activities, calls, fail } = fakeActivities({ shards: 4 });
    fail('judges', 'model-invalid');
    await withWorkers(environment, activities, () => assert.rejects(scan('scan-bad-model'), WorkflowFailedError));
    assert.ok(!calls.some((call) => call.startsWith('shard:')));
  });

  it('fails when too few shards succeed', async () => {
    const { activities, fail } = fakeActivities({ shards: 4 });
    fail('shard:1', 'data-invalid');
    await withWorkers(environment, activities, () =>
      assert.rejects(
        scan('scan-bad'),
        (error) =>
          error instanceof WorkflowFailedError && /shard:1 failed/.test(String(error.cause?.cause ?? error.cause)),
      ),
    );
  });
});

describe('mislabelScan on a server with real queries and cancellation', () => {
  let environment: TestWorkflowEnvironment;
  before(async () => {
    environment = await localEnvironment();
  });
  after(() => environment?.teardown());

  it('reports its progress, and ends when it is cancelled', async () => {
    const { activities, calls } = fakeActivities({ shards: 4, folds: [0, 1] });
    const [atFold, release] = [gate(), gate()];
    const trainFold: Activities['trainFold'] = async (asked) => {
      if (asked.fold === 1) {
        atFold.open();
        await release.opened;
      }
      return activities.trainFold(asked);
    };
    await withWorkers(environment, { ...activities, trainFold }, async () => {
      const handle = await environment.client.workflow.start('mislabelScan', {
        workflowId: 'scan-stopped',
        taskQueue: LIGHT_QUEUE,
        args: [{ context, draw: stepResult('draw') }],
      });
      try {
        await atFold.opened;
        assert.deepEqual(scanProgressSchema.parse(await handle.query('progress')), {
          stage: 'training folds',
          folds: { done: 1, total: 2 },
          shards: { done: 0, total: 4 },
        });
        await handle.cancel();
      } finally {
        release.open();
      }
      await assert.rejects(
        handle.result(),
        (error) => error instanceof WorkflowFailedError && error.cause instanceof CancelledFailure,
      );
    });
    assert.ok(!calls.some((call) => call.startsWith('shard:')));
  });
});

function gate(): { open(): void; opened: Promise<void> } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open: () => open(), opened };
}

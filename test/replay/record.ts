import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { WithStartWorkflowOperation } from '@temporalio/client';
import type { LoopStatus } from '../../domain/messages.js';
import { LIGHT_QUEUE } from '../../domain/queues.js';
import { ROOT, venvBinary } from '../support/binaries.js';
import { fakeActivities, testConfig } from '../support/fakeActivities.js';
import { localEnvironment, withWorkers } from '../support/workflowEnvironment.js';

/**
 * Records histories of today's workflows for the replay test: `node dist/test/replay/record.js`. Record again only
 * together with a change that is meant to break running loops (then give the workers a new build, see
 * docs/operations.md).
 */
const run = promisify(execFile);
const folder = join(ROOT, 'test', 'replay', 'histories');
await mkdir(folder, { recursive: true });
const environment = await localEnvironment();
try {
  const { activities, fail } = fakeActivities({ shards: 5, folds: [0, 1] });
  fail('train:2', 'training-diverged');
  const { client } = environment;
  await withWorkers(environment, activities, async () => {
    const { workflow } = client;
    await workflow.execute('startLoop', { workflowId: 'start:cars', taskQueue: LIGHT_QUEUE, args: [{}] });
    const startWorkflowOperation = new WithStartWorkflowOperation('trainingLoop', {
      workflowId: 'loop:cars',
      taskQueue: LIGHT_QUEUE,
      args: [{}],
      workflowIdConflictPolicy: 'USE_EXISTING',
    });
    await workflow.executeUpdateWithStart('runIterations', {
      args: [{ iterations: 2, config: testConfig }],
      startWorkflowOperation,
    });
    const loop = workflow.getHandle('loop:cars');
    const until = async (phase: LoopStatus['phase']): Promise<void> => {
      while ((await loop.query<LoopStatus>('status')).phase !== phase)
        await new Promise((resolve) => setTimeout(resolve, 100));
    };
    await until('failed');
    await loop.executeUpdate('retryIteration', { args: [{}] });
    await until('idle');
    await loop.executeUpdate('stop', { args: [{}] });
    await loop.result();
    for (const id of ['start:cars', 'loop:cars', 'loop:cars:iteration:0001', 'loop:cars:iteration:0001:scan']) {
      const { stdout } = await run(
        venvBinary('temporal'),
        ['workflow', 'show', '--workflow-id', id, '--address', environment.address, '--output', 'json'],
        { maxBuffer: 64 * 2 ** 20 },
      );
      await writeFile(join(folder, `${id.replaceAll(':', '-')}.json`), `${JSON.stringify(JSON.parse(stdout))}\n`);
    }
  });
} finally {
  await environment.teardown();
}

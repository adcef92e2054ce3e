import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { bundleWorkflowCode, DefaultLogger, Worker } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { ROOT } from '../support/binaries.js';
import { workflowBundle } from '../support/workflowEnvironment.js';

const FOLDER = join(ROOT, 'test', 'replay', 'histories');

describe('recorded histories', () => {
  const history = async (file: string) => historyFromJSON(JSON.parse(await readFile(join(FOLDER, file), 'utf8')));

  const workflowIdOf = (file: string): string => file.replace('.json', '').replaceAll('-', ':');

  it('replay on the workflows as they are', async () => {
    const files = await readdir(FOLDER);
    assert.ok(files.length >= 4, 'histories are recorded by test/replay/record.ts');
    for (const file of files)
      await Worker.runReplayHistory(
        { workflowBundle: await workflowBundle() },
        await history(file),
        workflowIdOf(file),
      );
  });

  it('catch a workflow whose steps changed order without a patch', async () => {
    await workflowBundle();
    const broken = await bundleWorkflowCode({
      workflowsPath: join(ROOT, 'dist', 'test', 'replay', 'brokenWorkflows.js'),
      logger: new DefaultLogger('ERROR'),
    });
    await assert.rejects(
      Worker.runReplayHistory(
        { workflowBundle: broken },
        await history('loop-cars-iteration-0001.json'),
        'loop:cars:iteration:0001',
      ),
      DeterminismViolationError,
    );
  });
});

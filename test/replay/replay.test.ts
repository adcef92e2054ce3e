import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { bundleWorkflowCode, DefaultLogger, Worker } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { z } from 'zod';
import { WORKFLOW_TYPES } from '../../domain/workflowNames.js';
import * as workflows from '../../workflows/index.js';
import { ROOT } from '../support/binaries.js';
import { workflowBundle } from '../support/servers/workflowEnvironment.js';

const FOLDER = join(ROOT, 'test', 'replay', 'histories');

describe('recorded histories', () => {
  const history = async (file: string) => historyFromJSON(JSON.parse(await readFile(join(FOLDER, file), 'utf8')));

  /** `2026-11/loop-cars.tune.json` -> `loop:cars`: a loop looks at its own id. */
  const workflowIdOf = (file: string): string => basename(file).replace(/\..*$/, '').replaceAll('-', ':');

  it('replay on the present workflows', async () => {
    // Those in the folder itself are from before the first patch; each folder in it is a version since.
    const files = (await readdir(FOLDER, { recursive: true })).filter((file) => file.endsWith('.json'));
    assert.ok(files.length >= 4, 'histories are recorded by test/replay/record.ts');
    for (const file of files)
      await Worker.runReplayHistory(
        { workflowBundle: await workflowBundle() },
        await history(file),
        workflowIdOf(file),
      );
  });

  it('exist for every type that workers know', () => {
    const { default: _, ...known } = workflows;
    assert.deepEqual(Object.keys(known).sort(), [...WORKFLOW_TYPES].sort());
  });

  it('name no file of the recording machine', async () => {
    const files = (await readdir(FOLDER, { recursive: true })).filter((file) => file.endsWith('.json'));
    for (const file of files) {
      const text = await readFile(join(FOLDER, file), 'utf8');
      assert.doesNotMatch(text, /(?<=[( "]|file:\/\/)\/(?!partloop\/)(?:[\w.@-]+\/)+[\w.@-]+\.[cm]?[jt]s:\d/, file);
    }
  });

  it('cover both sides of every patch', async () => {
    const sources = await Promise.all(
      (await readdir(join(ROOT, 'workflows'), { recursive: true }))
        .filter((name) => name.endsWith('.ts'))
        .map((name) => readFile(join(ROOT, 'workflows', name), 'utf8')),
    );
    const patches = sources.flatMap((text) =>
      [...text.matchAll(/^(?:export )?const [A-Z_]+ = '([a-z-]+)';$/gm)].map(([, id]) => id),
    );
    assert.ok(patches.length >= 3);
    const recorded = new Set<string>();
    for (const file of (await readdir(FOLDER, { recursive: true })).filter((name) => name.endsWith('.json'))) {
      for (const { markerRecordedEventAttributes: marker } of (await history(file)).events ?? []) {
        const payload = marker?.details?.['patch-data']?.payloads?.[0]?.data;
        if (payload != null)
          recorded.add(z.object({ id: z.string() }).parse(JSON.parse(Buffer.from(payload).toString())).id);
      }
    }
    assert.deepEqual([...recorded].sort(), [...patches].sort(), 'a history with each patch is recorded');
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

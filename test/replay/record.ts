import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { WithStartWorkflowOperation } from '@temporalio/client';
import { createRunningActivities } from '../../activities/running.js';
import { LIGHT_QUEUE } from '../../domain/base/queues.js';
import { loopConfigSchema } from '../../domain/config.js';
import type { LoopStatus } from '../../domain/messages.js';
import { mergeSettings } from '../../domain/settings/settings.js';
import { ROOT, venvBinary } from '../support/binaries.js';
import { localEnvironment, withWorkers } from '../support/servers/workflowEnvironment.js';
import { fakeActivities, stepResult, testConfig } from '../support/standIns/fakeActivities.js';
import { faultAtCancel } from '../support/standIns/faultAtCancel.js';
import { stepGate } from '../support/standIns/stepGate.js';

/**
 * Records histories of today's workflows for the replay test: `node dist/test/replay/record.js NAME [SCENE…]` writes
 * them, by default those of all scenes, into `histories/NAME`. Give each version a folder of its own and leave those of
 * earlier ones as they are: they stand for the loops that were begun with it.
 */
const [name, ...asked] = process.argv.slice(2);
if (name === undefined) throw new Error('name the folder: node dist/test/replay/record.js 2026-11');
const run = promisify(execFile);
const folder = join(ROOT, 'test', 'replay', 'histories', name);
await mkdir(folder, { recursive: true });
const environment = await localEnvironment(['--dynamic-config-value', 'limit.historyCount.suggestContinueAsNew=60']);
const { workflow } = environment.client;

const loop = () => workflow.getHandle('loop:cars');
const status = () => loop().query<LoopStatus>('status');
const pause = () => new Promise((resolve) => setTimeout(resolve, 100));
const until = async (holds: (status: LoopStatus) => boolean): Promise<void> => {
  while (!holds(await status())) await pause();
};
const start = (iterations: number, config = testConfig) =>
  workflow.executeUpdateWithStart('runIterations', {
    args: [{ iterations, config }],
    startWorkflowOperation: new WithStartWorkflowOperation('trainingLoop', {
      workflowId: 'loop:cars',
      taskQueue: LIGHT_QUEUE,
      args: [{}],
      workflowIdConflictPolicy: 'USE_EXISTING',
    }),
  });
const end = async (): Promise<void> => {
  await loop().executeUpdate('stop', { args: [{ now: true }] });
  await loop().result();
};

/** Traces name files of the machine that recorded, wherever its packages lie. */
const withoutTrace = (key: string, value: unknown): unknown => (key === 'stackTrace' ? '' : value);

/** The history of a run, by default the newest, as `<id>-<what>.json`. */
async function keep(what: string, ids: readonly string[], runId?: string): Promise<void> {
  for (const id of ids) {
    const which = runId === undefined ? [] : ['--run-id', runId];
    const { stdout } = await run(
      venvBinary('temporal'),
      ['workflow', 'show', '--workflow-id', id, ...which, '--address', environment.address, '--output', 'json'],
      { maxBuffer: 64 * 2 ** 20 },
    );
    const file = `${id.replaceAll(':', '-')}.${what}.json`;
    await writeFile(join(folder, file), `${JSON.stringify(JSON.parse(stdout, withoutTrace))}\n`);
  }
}

/** Scenes of a loop's life; each has a loop of its own, under one name one after the other. */
const SCENES: Record<string, () => Promise<void>> = {
  async 'folds-retry'() {
    const { activities, fail } = fakeActivities({ shards: 5, folds: [0, 1] });
    fail('train:2', 'training-diverged');
    await withWorkers(environment, activities, async () => {
      await workflow.execute('startLoop', { workflowId: 'start:cars', taskQueue: LIGHT_QUEUE, args: [{}] });
      await start(2);
      await until(({ phase }) => phase === 'failed');
      await loop().executeUpdate('retryIteration', { args: [{}] });
      await until(({ phase }) => phase === 'idle');
      await end();
      const iteration = 'loop:cars:iteration:0001';
      await keep('folds-retry', [
        'start:cars',
        'loop:cars',
        iteration,
        `${iteration}:scan`,
        'loop:cars:iteration:0002',
      ]);
    });
  },

  async tune() {
    const { activities } = fakeActivities({ miouOf: ({ lrHead = 0 }) => 0.5 + lrHead });
    const tuned = loopConfigSchema.parse(
      mergeSettings(testConfig, { tune: { enabled: true, trials: 3, adopt: 'auto' } }),
    );
    await withWorkers(environment, activities, async () => {
      await start(1, tuned);
      await until(({ phase, nextIteration }) => phase === 'idle' && nextIteration === 2);
      await end();
      const iteration = 'loop:cars:iteration:0001';
      await keep('tune', ['loop:cars', iteration, `${iteration}:tune`]);
    });
  },

  async 'standalone-scan'() {
    const { activities } = fakeActivities({ shards: 4 });
    const own = {
      ...activities,
      draw: async () => stepResult('draw', { drawn: 10 }),
    };
    await withWorkers(environment, own, async () => {
      await workflow.execute('mislabelScan', { workflowId: 'scan:cars', taskQueue: LIGHT_QUEUE, args: [{}] });
      await keep('standalone', ['scan:cars']);
    });
  },

  async 'continue-as-new'() {
    const { activities, fail } = fakeActivities();
    fail('train:1', 'training-diverged');
    await withWorkers(environment, activities, async () => {
      await start(3);
      await until(({ phase }) => phase === 'failed');
      const { runId } = await loop().describe();
      while ((await loop().describe()).runId === runId) {
        await loop().executeUpdate('pause', { args: [{}] });
        await loop().executeUpdate('resume');
      }
      await keep('continued', ['loop:cars'], runId);
      await loop().executeUpdate('retryIteration', { args: [{}] });
      await until(({ phase }) => phase === 'idle');
      await end();
      await keep('continued-after', ['loop:cars']);
    });
  },

  async 'looks-at-pool'() {
    const { activities, fail } = fakeActivities();
    fail('draw:1', 'pool-exhausted');
    await withWorkers(environment, activities, async () => {
      await start(1);
      await until(({ phase }) => phase === 'waiting for images');
      const { runId } = await loop().describe();
      // A loop looks at its pool once more before it continues as new.
      while ((await loop().describe()).runId === runId) await loop().executeUpdate('resume');
      await keep('looked', ['loop:cars'], runId);
      await end();
    });
  },

  async 'pause-now'() {
    const { atStep: atScan, open: release, until: untilOpen } = stepGate('shard:1');
    const { activities } = fakeActivities({ until: untilOpen });
    await withWorkers(environment, activities, async () => {
      await start(1);
      await atScan;
      await loop().executeUpdate('pause', { args: [{ now: true }] });
      release();
      await until(({ phase }) => phase === 'paused');
      await loop().executeUpdate('resume');
      await until(({ phase, nextIteration }) => phase === 'idle' && nextIteration === 2);
      await end();
      await keep('pause-now', ['loop:cars', 'loop:cars:iteration:0001']);
    });
  },

  async 'held-over-fault'() {
    const { atStep, until: untilOpen } = faultAtCancel('train:1');
    const { activities } = fakeActivities({ until: untilOpen });
    await withWorkers(environment, activities, async () => {
      await start(1);
      await atStep;
      await loop().executeUpdate('pause', { args: [{ now: true }] });
      await until(({ phase }) => phase === 'paused');
      await loop().executeUpdate('resume');
      await until(({ phase, nextIteration }) => phase === 'idle' && nextIteration === 2);
      await end();
      await keep('held-over-fault', ['loop:cars:iteration:0001']);
    });
  },

  async 'shards-again'() {
    const { activities, fail } = fakeActivities({ shards: 30 });
    fail('shard:1', 'store-unavailable');
    await withWorkers(environment, activities, async () => {
      await start(1);
      await until(({ phase, nextIteration }) => phase === 'idle' && nextIteration === 2);
      await end();
      await keep('shards-again', ['loop:cars:iteration:0001:scan']);
    });
  },

  async joined() {
    const { atStep, open, until: untilOpen } = stepGate('train:1');
    const { activities } = fakeActivities({ until: untilOpen });
    const { isRunning, joinWorkflow } = createRunningActivities({ client: environment.client });
    await withWorkers(environment, { ...activities, isRunning, joinWorkflow }, async () => {
      await start(1);
      await atStep;
      await loop().terminate('by a person');
      await start(1);
      await until(({ iteration }) => iteration === 1);
      open();
      await until(({ phase, nextIteration }) => phase === 'idle' && nextIteration === 2);
      await end();
      await keep('joined', ['loop:cars']);
    });
  },

  async 'set-early'() {
    const { activities } = fakeActivities();
    const { atStep, open, until: untilOpen } = stepGate('load');
    const slow: typeof activities = {
      ...activities,
      loadLoop: async (input) => {
        await untilOpen('load');
        return activities.loadLoop(input);
      },
    };
    await withWorkers(environment, slow, async () => {
      await workflow.start('trainingLoop', { workflowId: 'loop:cars', taskQueue: LIGHT_QUEUE, args: [{}] });
      await atStep;
      const config = { ...testConfig, chunkSize: 7 };
      const set = await loop().startUpdate('setConfig', { args: [{ config }], waitForStage: 'ACCEPTED' });
      open();
      await set.result();
      await end();
      await keep('set-early', ['loop:cars']);
    });
  },

  async 'clean-up'() {
    const { activities } = fakeActivities();
    await withWorkers(environment, activities, async () => {
      await workflow.execute('cleanUp', { workflowId: 'tidy', taskQueue: LIGHT_QUEUE, args: [{ delete: true }] });
      await keep('clean-up', ['tidy', 'store:cleanup']);
    });
  },

  async approval() {
    const { activities, fail } = fakeActivities();
    fail('approve:7:Kim', 'not-found');
    await withWorkers(environment, activities, async () => {
      await start(1);
      await until(({ phase, nextIteration }) => phase === 'idle' && nextIteration === 2);
      await loop().executeUpdate('approveIteration', { args: [{}] });
      const refused = loop().executeUpdate('approveIteration', { args: [{ iteration: 7, by: 'Kim' }] });
      await refused.catch(() => undefined);
      await end();
      await keep('approval', ['loop:cars']);
    });
  },

  async control() {
    const { activities, fail } = fakeActivities();
    fail('arm:2', 'training-diverged');
    const withControl = loopConfigSchema.parse(mergeSettings(testConfig, { sample: { controlArm: true } }));
    await withWorkers(environment, activities, async () => {
      await start(2, withControl);
      await until(({ phase, nextIteration }) => phase === 'idle' && nextIteration === 3);
      await end();
      await keep('control', ['loop:cars:iteration:0001', 'loop:cars:iteration:0002']);
    });
  },

  async 'no-images'() {
    const { activities, fail } = fakeActivities();
    fail('draw:1', 'pool-exhausted');
    await withWorkers(environment, activities, async () => {
      await start(1);
      await until(({ phase }) => phase === 'waiting for images');
      await keep('no-images', ['loop:cars:iteration:0001']);
      await loop().signal('poolGrew');
      await until(({ phase, nextIteration }) => phase === 'idle' && nextIteration === 2);
      await end();
      await keep('no-images', ['loop:cars']);
    });
  },
};

try {
  for (const [scene, record] of Object.entries(SCENES)) if (asked.length === 0 || asked.includes(scene)) await record();
} finally {
  await environment.teardown();
}

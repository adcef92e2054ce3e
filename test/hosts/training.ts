import type { WorkflowHandle } from '@temporalio/client';
import { Worker } from '@temporalio/worker';
import { z } from 'zod';
import type { Activities } from '../../activities/index.js';
import { LIGHT_QUEUE, SCAN_QUEUE } from '../../domain/base/queues.js';
import { iterationContextSchema, type StepResults } from '../../domain/steps.js';
import { trainingRowSchema } from '../../domain/tables.js';
import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { openPool } from '../../storage/pool/pool.js';
import { parseJson } from '../../storage/tables/json.js';
import { writeTable } from '../../storage/tables/table.js';
import { workflowBundle } from '../support/servers/workflowEnvironment.js';
import { fakeActivities, stepResult } from '../support/standIns/fakeActivities.js';
import { POOL, taxonomy, tinyImage } from '../training/tinyPool.js';
import type { Site } from './site.js';

const ITERATIONS = 150;
const SET = 'set.parquet';

const chainSchema = z.object({ attempt: z.string(), checkpoints: z.array(z.object({ iteration: z.number() })) });
const commitSchema = z.object({ attempt: z.string() });

/** Every step but the training, in this process; the training set lies in the store. `stop` ends them. */
export async function otherSteps(site: Site): Promise<{ stop(): Promise<void> }> {
  const { store, temporal } = site;
  await store.put(keys.taxonomy(POOL), JSON.stringify(taxonomy));
  const images = await Promise.all([0, 1, 2].map((index) => tinyImage(store, index)));
  await (await openPool(store, POOL)).append(() => images);
  const rows = images.map((row) => ({ ...row, cluster: row.imageId, pickedIn: 1 }));
  await writeTable(store, SET, rows, trainingRowSchema);
  const { activities } = fakeActivities();
  const workers = await Promise.all(
    [LIGHT_QUEUE, SCAN_QUEUE].map(async (taskQueue) =>
      Worker.create({
        connection: temporal.nativeConnection,
        taskQueue,
        activities: {
          ...activities,
          draw: async () => stepResult('draw', { poolVersion: 1 }),
          sample: async () => ({ ...stepResult('sample'), outputs: { trainingSet: SET } }),
        } satisfies Activities,
        ...(taskQueue === LIGHT_QUEUE ? { workflowBundle: await workflowBundle() } : {}),
      }),
    ),
  );
  const running = workers.map((worker) => worker.run());
  return {
    async stop() {
      for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
      await Promise.allSettled(running);
    },
  };
}

export type Training = WorkflowHandle & { result(): Promise<StepResults> };

/** Start an iteration of a separate loop, or join it if it runs; all train the same. */
export async function startTraining({ temporal }: Site, loop: string): Promise<Training> {
  const context = iterationContextSchema.parse({
    loop,
    iteration: 1,
    config: {
      pool: POOL,
      train: { iterations: ITERATIONS, batchSize: 2, imageSize: 64, threads: 1, checkpointEvery: 10 },
      durability: { trainHeartbeatSeconds: 8 },
    },
    previous: null,
    force: null,
  });
  return temporal.client.workflow.start('loopIteration', {
    workflowId: `loop:${loop}:iteration:0001`,
    taskQueue: LIGHT_QUEUE,
    workflowIdConflictPolicy: 'USE_EXISTING',
    args: [{ context }],
  });
}

/** The objects of a training in the store. */
export interface Stored {
  /** Token of the attempt that has the lease; null before there is one. */
  holder: string | null;
  /** Iteration of the newest checkpoint. */
  newest: number;
  /** Token of the attempt that ended it. */
  committed: string | null;
  /** Every object, with its ETag. */
  objects: ReadonlyMap<string, string>;
}

export async function storedOf(store: ObjectStore, loop: string): Promise<Stored> {
  const objects = new Map<string, string>();
  for await (const { key, etag } of store.list(keys.loopPrefix(loop))) objects.set(key, etag);
  const read = async <T>(end: string, schema: z.ZodType<T>): Promise<T | null> => {
    const key = [...objects.keys()].find((name) => name.includes('/train/') && name.endsWith(end));
    return key === undefined ? null : parseJson((await store.get(key)).body, key, schema);
  };
  const chain = await read('/latest.json', chainSchema);
  const commit = await read('/commit.json', commitSchema);
  return {
    holder: chain?.attempt ?? null,
    newest: chain?.checkpoints[0]?.iteration ?? 0,
    committed: commit?.attempt ?? null,
    objects,
  };
}

/** Keys that an attempt wrote. */
export const keysOf = ({ objects }: Stored, token: string): string[] =>
  [...objects.keys()].filter((key) => key.includes(`/${token}/`));

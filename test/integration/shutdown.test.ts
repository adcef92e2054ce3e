import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { defaultPayloadConverter } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import type { Activities } from '../../activities/index.js';
import { LIGHT_QUEUE, SCAN_QUEUE } from '../../domain/base/queues.js';
import { progressSchema } from '../../domain/progress.js';
import { iterationContextSchema, type StepResults } from '../../domain/steps.js';
import { trainingRowSchema } from '../../domain/tables.js';
import { LOCAL_BUCKET } from '../../infra/services/seaweed.js';
import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { openPool } from '../../storage/pool/pool.js';
import { writeTable } from '../../storage/tables/table.js';
import { ROOT } from '../support/binaries.js';
import { startTestStore, type TestStore } from '../support/servers/s3.js';
import { localEnvironment, workflowBundle } from '../support/servers/workflowEnvironment.js';
import { fakeActivities, stepResult } from '../support/standIns/fakeActivities.js';
import { POOL, taxonomy, tinyImage } from '../training/tinyPool.js';

const ITERATIONS = 400;
const python = process.env.PARTLOOP_PYTHON ?? join(ROOT, '.venv', 'bin', 'python');

/** A train worker as a separate process, and its log. */
interface TrainWorker {
  process: ChildProcess;
  /** Messages of its log, in order. */
  messages(): string[];
  /** The fields of the entry with this message. */
  entry(message: RegExp): Record<string, unknown> | undefined;
}

describe('a train worker that is told to stop during a training', function () {
  this.timeout(10 * 60_000);
  let home: string;
  let server: TestStore;
  let store: ObjectStore;
  let environment: TestWorkflowEnvironment;
  const workers: ChildProcess[] = [];
  let others: Worker[] = [];
  let running: Promise<void>[] = [];

  before(async function () {
    if (!existsSync(python)) this.skip();
    home = await mkdtemp(join(tmpdir(), 'partloop-shutdown-'));
    server = await startTestStore();
    store = server.open('shutdown');
    environment = await localEnvironment();
  });
  after(async () => {
    for (const worker of workers) worker.kill('SIGKILL');
    for (const worker of others) if (worker.getState() === 'RUNNING') worker.shutdown();
    await Promise.allSettled(running);
    await environment?.teardown();
    await server?.stop();
    if (home) await rm(home, { recursive: true, force: true });
  });

  it('takes no more work, saves its progress, frees the lease and ends; the next one goes on from there', async () => {
    await store.put(keys.taxonomy(POOL), JSON.stringify(taxonomy));
    const images = await Promise.all([0, 1, 2].map((index) => tinyImage(store, index)));
    await (await openPool(store, POOL)).append(() => images);
    const rows = images.map((row) => ({ ...row, cluster: row.imageId, pickedIn: 1 }));
    await writeTable(store, 'set.parquet', rows, trainingRowSchema);
    // Nothing but a stop saves before the end.
    const training = { iterations: ITERATIONS, batchSize: 2, imageSize: 64, threads: 1, checkpointEvery: 10_000 };
    const context = iterationContextSchema.parse({
      loop: 'tiny',
      iteration: 1,
      config: { pool: POOL, train: training, durability: { trainHeartbeatSeconds: 5 } },
      previous: null,
      force: null,
    });

    others = await Promise.all([LIGHT_QUEUE, SCAN_QUEUE].map((queue) => otherWorker(queue)));
    running = others.map((worker) => worker.run());
    const handle = await environment.client.workflow.start('loopIteration', {
      workflowId: 'loop:tiny:iteration:0001',
      taskQueue: LIGHT_QUEUE,
      args: [{ context }],
    });
    const first = trainWorker('first');
    const seen = await untilTrained(handle.workflowId, 2);
    await sleep(Math.random() * 1_500);
    first.process.kill('SIGTERM');
    assert.deepEqual(await once(first.process, 'exit'), [0, null]);
    const order = [/asked to stop/, /the training is stopped: its lease is free/, /workers have ended/];
    const found = order.map((message) => first.messages().findIndex((line) => message.test(line)));
    assert.deepEqual(
      found,
      [...found].sort((a, b) => a - b),
    );
    assert.ok(!found.includes(-1), first.messages().join('\n'));
    const saved = Number(first.entry(/its lease is free/)?.checkpoint);
    assert.ok(saved >= seen, `saved at ${saved}, trained to ${seen} before the signal`);
    assert.equal((await newestCheckpoint())?.iteration, saved, 'it is in the store');

    const second = trainWorker('second');
    const results: StepResults = await handle.result();
    assert.equal(results.train?.facts.resumes, 1);
    assert.equal(results.train?.facts.iterations, ITERATIONS);
    second.process.kill('SIGTERM');
    assert.deepEqual(await once(second.process, 'exit'), [0, null]);
  });

  async function otherWorker(taskQueue: string): Promise<Worker> {
    const { activities } = fakeActivities();
    return Worker.create({
      connection: environment.nativeConnection,
      taskQueue,
      activities: {
        ...activities,
        draw: async () => stepResult('draw', { poolVersion: 1 }),
        sample: async () => ({ ...stepResult('sample'), outputs: { trainingSet: 'set.parquet' } }),
      } satisfies Activities,
      ...(taskQueue === LIGHT_QUEUE ? { workflowBundle: await workflowBundle() } : {}),
    });
  }

  function trainWorker(name: string): TrainWorker {
    const { endpoint, region, credentials } = server.options;
    const child = spawn(process.execPath, [join(ROOT, 'dist', 'workers', 'main.js'), '--role', 'train'], {
      env: {
        ...process.env,
        TEMPORAL_ADDRESS: environment.address,
        TEMPORAL_NAMESPACE: environment.namespace ?? 'default',
        PARTLOOP_HOME: join(home, name),
        PARTLOOP_STORE: `s3://${LOCAL_BUCKET}/shutdown`,
        AWS_ENDPOINT_URL_S3: endpoint,
        AWS_REGION: region,
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    workers.push(child);
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    const entries = (): Record<string, unknown>[] =>
      text.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []));
    return {
      process: child,
      messages: () => entries().map(({ msg }) => String(msg)),
      entry: (message) => entries().find(({ msg }) => message.test(String(msg))),
    };
  }

  /** Wait until the server knows of this many iterations; returns how many it knows of. */
  async function untilTrained(workflowId: string, iterations: number): Promise<number> {
    for (;;) {
      const { raw } = await environment.client.workflow.getHandle(workflowId).describe();
      const payload = raw.pendingActivities?.[0]?.heartbeatDetails?.payloads?.[0];
      const told = progressSchema.safeParse(payload == null ? null : defaultPayloadConverter.fromPayload(payload));
      if (told.data?.phase === 'training' && told.data.done >= iterations) return told.data.done;
      await sleep(100);
    }
  }

  async function newestCheckpoint(): Promise<{ iteration: number } | undefined> {
    for await (const { key } of store.list('loops/tiny/')) {
      if (key.endsWith('/latest.json')) {
        return JSON.parse(new TextDecoder().decode((await store.get(key)).body)).checkpoints[0];
      }
    }
    return undefined;
  }
});

import { randomUUID } from 'node:crypto';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Logger, pino } from 'pino';
import { PartloopError } from '../../domain/base/errors.js';
import { trainConfigSchema } from '../../domain/config.js';
import type { Progress } from '../../domain/progress.js';
import type { WorkOf } from '../../domain/stepContract.js';
import type { IndexRow } from '../../domain/tables.js';
import type { trainStep } from '../../domain/train/step.js';
import type { Heartbeat } from '../../steps/heartbeat.js';
import type { Attempt } from '../../steps/runStep.js';
import { publishModel } from '../../training/results.js';
import { runTraining } from '../../training/run.js';
import type { TrainingRun } from '../../training/trainingRun.js';
import { type MemoryStore, memoryStore } from '../support/standIns/memoryStore.js';
import { attended } from './attended.js';
import { POOL, taxonomy, tinyImage } from './tinyPool.js';

const DIGEST = 'd'.repeat(64);
export const CHAIN = 'runs/latest.json';
export const root = process.cwd();
/** The real trainer's interpreter. */
export const python = process.env.PARTLOOP_PYTHON ?? join(root, '.venv/bin/python');

export const hasCode =
  (code: string) =>
  (error: unknown): boolean =>
    error instanceof PartloopError && error.code === code;

export type TinyRun = TrainingRun & { store: MemoryStore };

export interface TrainOptions {
  signal?: AbortSignal;
  onIteration?: (iteration: number) => void | Promise<void>;
  /** The iteration that a trainer begins with. */
  onStart?: (iteration: number) => void;
  onBeat?: (progress: Progress) => void;
  logger?: Logger;
}

export async function train(
  run: TinyRun,
  home: string,
  options: TrainOptions = {},
): Promise<{ work: WorkOf<typeof trainStep>; json: (key: string | undefined) => Promise<unknown> }> {
  const token = randomUUID();
  const attempt: Attempt = {
    token,
    digest: DIGEST,
    unforced: null,
    store: run.store,
    key: (file) => `runs/${token}/${file}`,
  };
  const beat: Heartbeat = {
    signal: options.signal ?? new AbortController().signal,
    report: (progress) => {
      options.onBeat?.(progress);
      if (progress.phase !== 'training') return;
      // The first report of a trainer has no loss yet.
      if (progress.note === undefined) options.onStart?.(progress.done);
      else void options.onIteration?.(progress.done);
    },
  };
  const work = await runTraining(
    { store: run.store, home, root, log: options.logger ?? pino({ level: 'silent' }) },
    run,
    attempt,
    beat,
    (ended) => publishModel(run.store, ended),
  );
  return { work, json: async (key) => JSON.parse(new TextDecoder().decode((await run.store.get(key ?? '')).body)) };
}

/** Six pictures of one square each, 64 × 48 pixels: eight iterations of two pictures. */
export async function tinyRun(): Promise<TinyRun> {
  const store = memoryStore();
  const rows: IndexRow[] = [];
  for (let index = 0; index < 6; index++) rows.push(await tinyImage(store, index));
  return {
    store,
    pool: POOL,
    taxonomy,
    taxonomyDigest: 'a'.repeat(64),
    train: rows,
    val: rows.slice(0, 2),
    trainingSetDigest: 'b'.repeat(64),
    config: trainConfigSchema.parse({ iterations: 8, batchSize: 2, imageSize: 64, checkpointEvery: 2, threads: 1 }),
    seed: 5,
    evaluationSize: 64,
    list: { images: rows.map(({ imageId }) => ({ imageId, vehicleId: null, cluster: imageId })) },
    warmStart: null,
    publishWeights: true,
    chainKey: CHAIN,
    unforcedChainKey: null,
    ...attended(),
    leftOutKey: 'runs/left-out.json',
    badImageShare: 0.01,
    leftOut: { train: [], val: [] },
    variant: null,
  };
}

export async function script(home: string, body: string): Promise<string> {
  const path = join(home, `trainer-${randomUUID()}.sh`);
  await writeFile(path, `#!/bin/sh\n${body}\n`);
  await chmod(path, 0o755);
  return path;
}

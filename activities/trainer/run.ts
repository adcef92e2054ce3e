import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { PartloopError } from '../../domain/errors.js';
import type { IndexRow } from '../../domain/tables.js';
import { type TrainerJob, trainerJob } from '../../domain/trainerJob.js';
import { derivativeSide } from '../../inference/derivative.js';
import type { ObjectStore } from '../../storage/objectStore.js';
import type { ActivityDeps } from '../deps.js';
import { type Heartbeat, throwIfCancelled } from '../heartbeat.js';
import type { Attempt, StepWork } from '../step.js';
import { CheckpointChain } from './checkpointChain.js';
import { CheckpointUploader, logOf } from './checkpointUploader.js';
import { syncDataset } from './dataset.js';
import { writeWhole } from './files.js';
import { runTrainer, trainerFailure, trainerPython } from './process.js';
import { publishModel } from './results.js';
import { TrainingProgress } from './trainingProgress.js';
import type { EndedRun, TrainingRun } from './trainingRun.js';
import { WorkDir } from './workDir.js';

/** A stopped trainer has this long for its last checkpoint; the worker's shutdown grace allows for it. */
export const SAVE_GRACE_MS = 60_000;
/** Counting a large training set's classes and validating say nothing for a while. */
const STALL_MS = 30 * 60_000;

/**
 * Train to the end, from wherever an earlier attempt came: take the lease, fetch data and checkpoint, run the trainer,
 * upload its checkpoints beside it, and `finish`, which publishes what came of it. A cancellation saves a checkpoint first
 * and then throws the cancellation's own reason.
 */
export async function runTraining(
  deps: ActivityDeps,
  run: TrainingRun,
  attempt: Attempt,
  beat: Heartbeat,
  finish: (ended: EndedRun) => Promise<StepWork> = (ended) => publishModel(deps.store, ended),
): Promise<StepWork> {
  const { store, log } = deps;
  const python = await trainerPython(deps.root);
  const chain = await CheckpointChain.claim(store, run.chainKey, attempt.token);
  const workDir = new WorkDir(resolve(deps.home), attempt.digest, attempt.token);
  const fence = new AbortController();
  let fenced: PartloopError | null = null;
  let counted = false;
  const uploader = new CheckpointUploader(store, chain, attempt.key, log, (error) => {
    fenced = error;
    fence.abort(error);
  });

  try {
    const found = await workDir.prepare(store, chain.newest, log);
    const job = await writeJob(deps, run, attempt, workDir.path, beat);
    const iterations = run.stopAfter ?? run.config.iterations;
    const progress = await TrainingProgress.from(found?.checkpoint ?? null, iterations, beat);
    if (found?.local) uploader.offer(found.checkpoint);

    const end = await runTrainer({
      python,
      packageRoot: join(resolve(deps.root), 'trainer'),
      job: join(workDir.path, 'job.json'),
      cwd: workDir.path,
      network: run.config.weights === 'hub',
      stallMs: STALL_MS,
      graceMs: SAVE_GRACE_MS,
      signal: AbortSignal.any([beat.signal, fence.signal]),
      onMessage: (message) => {
        progress.take(message);
        if (message.type === 'warning') log.warn({ code: message.code }, message.message);
        if (message.type === 'checkpoint') offerWithLog(uploader, progress, job.workDir, message);
      },
    });
    await progress.settled;
    await uploader.drain();
    if (fenced !== null) throw fenced;
    const failure = trainerFailure(end);
    if (failure !== null) {
      throwIfCancelled(beat.signal);
      log.error({ code: failure.code, stderr: end.stderrTail }, 'the trainer ended early');
      if (failure.code === 'trainer-failed' || failure.code === 'trainer-stalled') {
        counted = true;
        await chain.recordFailure(failure.message);
      }
      throw failure;
    }

    const work = await finish({
      run,
      attempt,
      job,
      log: progress.textUpTo(iterations),
      loss: progress.loss,
      resumes: chain.resumes,
      confirm: () => chain.confirm(),
    });
    await workDir.remove();
    return work;
  } catch (error) {
    if (fenced !== null) throw fenced;
    await uploader.drain();
    // A stop from outside, or a store that is away, says nothing about whether the training itself can go on.
    if (!counted)
      await chain
        .release()
        .catch((cause: unknown) => log.warn({ err: cause }, 'this start still counts as one without progress'));
    throwIfCancelled(beat.signal);
    throw error;
  }
}

async function writeJob(
  deps: ActivityDeps,
  run: TrainingRun,
  attempt: Attempt,
  folder: string,
  beat: Heartbeat,
): Promise<TrainerJob> {
  const { imageSize } = run.config;
  const sync = (rows: readonly IndexRow[], name: string, side: number): Promise<void> =>
    syncDataset(rows, join(folder, name), {
      store: deps.store,
      pool: run.pool,
      home: resolve(deps.home),
      side,
      signal: beat.signal,
      onProgress: (done, of) => beat.report({ phase: `fetching ${name}`, done, of }),
    });
  await sync(run.train, 'train.jsonl', derivativeSide(imageSize));
  // The label's own grid is what counts: a copy at that size is made from the label, not from a smaller copy.
  if (run.val.length > 0) await sync(run.val, 'val.jsonl', Math.max(imageSize, run.evaluationSize));
  const job = trainerJob({
    config: run.config,
    taxonomy: run.taxonomy,
    taxonomyDigest: run.taxonomyDigest,
    trainingSetDigest: run.trainingSetDigest,
    seed: run.seed,
    validationSize: run.evaluationSize,
    attempt: attempt.token,
    workDir: folder,
    train: join(folder, 'train.jsonl'),
    val: run.val.length > 0 ? join(folder, 'val.jsonl') : null,
    weights: await localWeights(deps.store, run.config.weights, folder),
    warmStart: await localWarmStart(deps.store, run, folder),
    stopAfter: run.stopAfter ?? null,
  });
  await writeFile(join(folder, 'job.json'), JSON.stringify(job, null, 1));
  return job;
}

/** Backbone weights as the trainer takes them; an object of our store is brought onto this disk. */
export async function localWeights(store: ObjectStore, weights: string, folder: string): Promise<string> {
  if (!weights.startsWith('s3://')) return weights.startsWith('.') ? resolve(weights) : weights;
  const prefix = `${store.uri.replace(/\/$/, '')}/`;
  if (!weights.startsWith(prefix)) {
    throw new PartloopError('config-invalid', `the weights ${weights} lie outside the store ${store.uri}`, {
      hint: 'Copy the file into the store, or name a file on the disk of the training machine.',
    });
  }
  const path = join(folder, 'backbone-weights.pth');
  await store.getFile(weights.slice(prefix.length), path);
  return path;
}

async function localWarmStart(store: ObjectStore, { warmStart }: TrainingRun, folder: string): Promise<string | null> {
  if (warmStart === null) return null;
  const path = join(folder, 'warm-start.pt');
  await store.getFile(warmStart.weights, path);
  return path;
}

/** The log of a checkpoint is written beside it before it is offered, so that both travel together. */
function offerWithLog(
  uploader: CheckpointUploader,
  progress: TrainingProgress,
  workDir: string,
  message: { iteration: number; path: string; sha256: string },
): void {
  const checkpoint = { iteration: message.iteration, path: resolve(workDir, message.path), sha256: message.sha256 };
  const text = progress.textUpTo(checkpoint.iteration);
  progress.settled = progress.settled.then(async () => {
    await writeWhole(logOf(checkpoint.path), text);
    uploader.offer(checkpoint);
  });
}

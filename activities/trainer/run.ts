import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { PartloopError } from '../../domain/errors.js';
import type { LeftOut } from '../../domain/leftOut.js';
import { type TrainerJob, trainerJob } from '../../domain/trainerJob.js';
import { digestOf } from '../../storage/digest.js';
import type { ObjectStore } from '../../storage/objectStore.js';
import type { ActivityDeps } from '../deps.js';
import { type Heartbeat, throwIfCancelled } from '../heartbeat.js';
import type { Attempt, StepWork } from '../step.js';
import { CheckpointChain } from './checkpointChain.js';
import { CheckpointUploader, logOf } from './checkpointUploader.js';
import { writeList } from './dataset.js';
import { writeWhole } from './files.js';
import { runTrainer, trainerFailure, trainerPython } from './process.js';
import { publishModel } from './results.js';
import { fetchAgain, gatherTrainingData, type TrainingData } from './trainingData.js';
import { TrainingProgress } from './trainingProgress.js';
import type { EndedRun, TrainingRun } from './trainingRun.js';
import { WorkDir } from './workDir.js';

/** A stopped trainer has this long for its last checkpoint; the worker's shutdown grace allows for it. */
export const SAVE_GRACE_MS = 60_000;
/** Counting a large training set's classes and validating say nothing for a while. */
const STALL_MS = 30 * 60_000;

/** The trainer named images that it cannot use. */
class UnusableImages extends Error {
  constructor(
    readonly failure: PartloopError,
    readonly images: readonly { imageId: string; reason: string }[],
  ) {
    super(failure.message, { cause: failure });
  }
}

/**
 * Train to the end, from wherever an earlier attempt came: fetch data, take the lease, fetch the checkpoint, run the trainer,
 * upload its checkpoints beside it, and `finish`, which publishes what came of it. A cancellation saves a checkpoint first
 * and then throws the cancellation's own reason. An image that the trainer cannot use is fetched again; the second time it is
 * left out, and the training starts over.
 */
export async function runTraining(
  deps: ActivityDeps,
  run: TrainingRun,
  attempt: Attempt,
  beat: Heartbeat,
  finish: (ended: EndedRun) => Promise<StepWork> = (ended) => publishModel(deps.store, ended),
): Promise<StepWork> {
  const fetchedAgain = new Set<string>();
  const refused: LeftOut[] = [];
  for (;;) {
    const data = await gatherTrainingData(deps, run, beat, refused);
    try {
      return await trainOn(deps, data, attempt, beat, finish);
    } catch (error) {
      if (!(error instanceof UnusableImages)) throw error;
      const rows = new Map([...data.run.train, ...data.run.val].map((row) => [row.imageId, row]));
      const known = error.images.flatMap(({ imageId, reason }) => {
        const row = rows.get(imageId);
        return row === undefined ? [] : [{ imageId, fileName: row.fileName, kind: 'unreadable' as const, reason }];
      });
      if (known.length === 0) throw error.failure;
      const again = known.filter(({ imageId }) => fetchedAgain.has(imageId));
      refused.push(...again);
      // Another list is another run: nothing goes on from what this one left on the disk.
      if (again.length > 0) await workDirOf(deps, data.run, attempt).remove();
      deps.log.warn({ images: known.length, leftOut: again.length, first: known[0] }, 'the trainer cannot use images');
      for (const { imageId } of known) fetchedAgain.add(imageId);
      await fetchAgain(deps, data.run, new Set(known.map(({ imageId }) => imageId)));
    }
  }
}

function workDirOf({ home }: ActivityDeps, { variant }: TrainingRun, { digest, token }: Attempt): WorkDir {
  return new WorkDir(resolve(home), variant === null ? digest : digestOf({ digest, variant }), token);
}

async function trainOn(
  deps: ActivityDeps,
  data: TrainingData,
  attempt: Attempt,
  beat: Heartbeat,
  finish: (ended: EndedRun) => Promise<StepWork>,
): Promise<StepWork> {
  const { run } = data;
  const { store, log } = deps;
  const python = await trainerPython(deps.root);
  const chain = await CheckpointChain.claim(store, run.chainKey, attempt.token);
  const workDir = workDirOf(deps, run, attempt);
  const fence = new AbortController();
  let fenced: PartloopError | null = null;
  let counted = false;
  const uploader = new CheckpointUploader(store, chain, attempt.key, log, (error) => {
    fenced = error;
    fence.abort(error);
  });

  try {
    const found = await workDir.prepare(store, chain.newest, log);
    const job = await writeJob(deps, data, attempt, workDir.path);
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
      if (end.error !== null && end.error.images.length > 0) throw new UnusableImages(failure, end.error.images);
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
  { run, train, val }: TrainingData,
  attempt: Attempt,
  folder: string,
): Promise<TrainerJob> {
  const lists = { train: join(folder, 'train.jsonl'), val: join(folder, 'val.jsonl') };
  await writeList(lists.train, train);
  if (val !== null) await writeList(lists.val, val);
  const job = trainerJob({
    config: run.config,
    taxonomy: run.taxonomy,
    taxonomyDigest: run.taxonomyDigest,
    trainingSetDigest: run.trainingSetDigest,
    seed: run.seed,
    validationSize: run.evaluationSize,
    attempt: attempt.token,
    workDir: folder,
    train: lists.train,
    val: val !== null && val.lines.length > 0 ? lists.val : null,
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

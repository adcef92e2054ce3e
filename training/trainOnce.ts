import { join, resolve } from 'node:path';
import type { Logger } from 'pino';
import { PartloopError } from '../domain/base/errors.js';
import type { FailureCode } from '../domain/base/failures/failure.js';
import { readVariables } from '../domain/settings/variables.js';
import type { TrainerJob } from '../domain/train/job.js';
import type { ActivityDeps } from '../steps/deps.js';
import { type Heartbeat, throwIfCancelled } from '../steps/heartbeat.js';
import { measure } from '../steps/measure.js';
import type { Attempt } from '../steps/runStep.js';
import { digestOf } from '../storage/digest.js';
import { CheckpointChain } from './checkpoints/checkpointChain.js';
import { CheckpointUploader, logOf } from './checkpoints/checkpointUploader.js';
import { tellLost } from './checkpoints/lostCheckpoints.js';
import { WorkDir } from './checkpoints/workDir.js';
import type { TrainingData } from './data/trainingData.js';
import { writeWhole } from './files.js';
import { writeJob } from './jobFile.js';
import { runTrainer, trainerPython } from './process/process.js';
import { lastWords, type TrainerEnd, trainerFailure } from './process/trainerEnd.js';
import { TrainingProgress } from './process/trainingProgress.js';
import { diskFull } from './room.js';
import type { EndedRun, TrainingRun } from './trainingRun.js';

/** The trainer is silent while it counts a large training set's classes and while it validates. */
const STALL_MS = 30 * 60_000;

/** Ends of the trainer that tell nothing about other attempts, but end the retries if they come twice in a row. */
const COUNTED: ReadonlySet<FailureCode> = new Set<FailureCode>([
  'trainer-failed',
  'trainer-stalled',
  'disk-full',
  'out-of-memory',
]);

/** Thrown if the trainer named images that it cannot use. */
export class UnusableImages extends Error {
  constructor(
    readonly failure: PartloopError,
    readonly images: readonly { imageId: string; reason: string }[],
  ) {
    super(failure.message, { cause: failure });
  }
}

/** One start of the trainer: its inputs, and the known facts about its end. */
interface Start {
  deps: ActivityDeps;
  data: TrainingData;
  attempt: Attempt;
  beat: Heartbeat;
  /** The Python that runs the trainer. */
  python: string;
  /** This attempt's lease, and the run's checkpoints. */
  chain: CheckpointChain;
  workDir: WorkDir;
  uploader: CheckpointUploader;
  /** Aborts if the lease is lost. */
  fence: AbortSignal;
  /** The reason for the loss of the lease; null while it is held, as far as the uploader knows. */
  fenced: PartloopError | null;
  /** Whether the chain has counted the failure that ended the trainer. */
  isCounted: boolean;
}

/** The results of a successful trainer, to be published. */
type Trained = Pick<EndedRun, 'job' | 'log' | 'loss'>;

/**
 * One start of the trainer on the images at hand: take the lease, fetch the checkpoint, run the trainer, upload its
 * checkpoints meanwhile, and `finish`. An end from outside does not count as a start without progress.
 *
 * @throws UnusableImages if the trainer named some
 */
export async function trainOnce<Work>(
  deps: ActivityDeps,
  data: TrainingData,
  attempt: Attempt,
  beat: Heartbeat,
  finish: (ended: EndedRun) => Promise<Work>,
): Promise<Work> {
  const start = await begin(deps, data, attempt, beat);
  const { chain, workDir } = start;
  try {
    const trained = await train(start);
    const work = await finish({
      run: data.run,
      attempt,
      ...trained,
      resumes: chain.resumes,
      lost: chain.lost,
      confirm: () => chain.confirm(),
    });
    await workDir.remove();
    return work;
  } catch (error) {
    throw await giveUp(start, error);
  } finally {
    measure('partloop_checkpoint_timestamp_seconds', 0);
    measure('partloop_train_images_per_second', 0);
  }
}

async function begin(deps: ActivityDeps, data: TrainingData, attempt: Attempt, beat: Heartbeat): Promise<Start> {
  const { run } = data;
  const python = await trainerPython(deps.root);
  // Fetching the images may take longer than the server waits for this host.
  throwIfCancelled(beat.signal);
  const chain = await claimLease(deps, run, attempt);
  const workDir = workDirOf(deps, run, attempt);
  const fence = new AbortController();
  const uploader = new CheckpointUploader(deps.store, chain, run.pin, attempt.key, deps.log, (error) => {
    start.fenced = error;
    fence.abort(error);
  });
  const known = { fence: fence.signal, fenced: null, isCounted: false };
  const start: Start = { deps, data, attempt, beat, python, chain, workDir, uploader, ...known };
  return start;
}

/** From the newest checkpoint to the end. */
async function train(start: Start): Promise<Trained> {
  const { deps, data, attempt, beat, chain, workDir, uploader } = start;
  const { run } = data;
  const found = await workDir.prepare(deps.store, chain.checkpoints, deps.log);
  await tellLost(deps, run, chain, found, beat);
  const job = await writeJob(deps, data, attempt, workDir.path, chain.isStruggling);
  const iterations = run.stopAfter ?? run.config.iterations;
  const progress = await TrainingProgress.from(found.checkpoint, iterations, beat);
  if (found.checkpoint !== null && found.isLocal) uploader.offer(found.checkpoint);

  const end = await runProcess(start, job, progress);
  await progress.settled;
  await uploader.drain();
  if (start.fenced !== null) throw start.fenced;
  await throwFailure(start, end);
  return { job, log: progress.textUpTo(iterations), loss: progress.loss };
}

function runProcess(start: Start, job: TrainerJob, progress: TrainingProgress): Promise<TrainerEnd> {
  const { deps, data, beat, python, workDir, uploader, fence } = start;
  const { log, root } = deps;
  return runTrainer({
    python,
    packageRoot: join(resolve(root), 'trainer'),
    job: join(workDir.path, 'job.json'),
    cwd: workDir.path,
    network: data.run.config.weights === 'hub',
    stallMs: STALL_MS,
    graceMs: readVariables(process.env).PARTLOOP_SAVE_SECONDS * 1_000,
    signal: AbortSignal.any([beat.signal, fence]),
    onLine: (line, stream) => log.info({ stream }, line),
    onMessage: (message) => {
      progress.take(message);
      if (message.type === 'progress' && message.secondsPerIteration > 0)
        measure('partloop_train_images_per_second', data.run.config.batchSize / message.secondsPerIteration);
      if (message.type === 'warning') log.warn({ code: message.code }, message.message);
      if (message.type === 'checkpoint') offerWithLog(uploader, progress, job.workDir, message, log);
    },
  });
}

/** Throw if the trainer failed. */
async function throwFailure(start: Start, end: TrainerEnd): Promise<void> {
  const failure = trainerFailure(end);
  if (failure === null) return;
  throwIfCancelled(start.beat.signal);
  const { exitCode, signal } = end;
  start.deps.log.error({ code: failure.code, exitCode, signal, printed: lastWords(end) }, failure.message);
  if (COUNTED.has(failure.code)) {
    start.isCounted = true;
    throw await start.chain.recordFailure(failure);
  }
  if (end.error !== null && end.error.images.length > 0) throw new UnusableImages(failure, end.error.images);
  throw failure;
}

/** Leave work folder and lease in the state that another attempt needs; returns the error to throw. */
async function giveUp(start: Start, error: unknown): Promise<unknown> {
  const { deps, beat, chain, workDir, uploader, isCounted } = start;
  await uploader.drain();
  if (start.fenced !== null || isFenced(error)) {
    await workDir.leave();
    return start.fenced ?? error;
  }
  const full = isCounted ? null : await asDiskFull(deps, error, 'the files of the training are wanted there');
  if (full !== null) return chain.recordFailure(full);
  // A stop from outside or an unreachable store tells nothing about whether the training itself can continue.
  if (!isCounted) await release(start);
  return beat.signal.aborted ? beat.signal.reason : error;
}

async function release({ deps: { log }, beat, chain, workDir, uploader }: Start): Promise<void> {
  try {
    await chain.release();
    if (beat.signal.aborted)
      log.info({ checkpoint: uploader.newestIteration }, 'the training is stopped: its lease is free');
  } catch (cause) {
    if (isFenced(cause)) return workDir.leave();
    log.warn({ err: cause }, 'this start still counts as one without progress');
  }
}

/** Take the lease of a run for this attempt. */
export function claimLease(deps: ActivityDeps, run: TrainingRun, { token }: Attempt): Promise<CheckpointChain> {
  return CheckpointChain.claim(deps.store, run.chainKey, {
    attempt: token,
    generation: run.generation,
    turn: run.turn,
    commands: run.commands,
    from: run.unforcedChainKey,
  });
}

/** The folder on this disk in which the attempt works. */
export function workDirOf({ home }: ActivityDeps, { variant }: TrainingRun, { digest, token }: Attempt): WorkDir {
  return new WorkDir(resolve(home), variant === null ? digest : digestOf({ digest, variant }), token);
}

/** The error of a full disk, its own or the system's; null for any other. */
export async function asDiskFull(deps: ActivityDeps, error: unknown, needs: string): Promise<PartloopError | null> {
  if (error instanceof PartloopError && error.code === 'disk-full') return error;
  return diskFull(error, resolve(deps.home), needs);
}

const isFenced = (error: unknown): boolean => error instanceof PartloopError && error.code === 'fenced';

/** The log of a checkpoint is written beside it before it is offered, so both travel together. */
function offerWithLog(
  uploader: CheckpointUploader,
  progress: TrainingProgress,
  workDir: string,
  message: { iteration: number; path: string; sha256: string },
  log: Logger,
): void {
  const checkpoint = { iteration: message.iteration, path: resolve(workDir, message.path), sha256: message.sha256 };
  const text = progress.textUpTo(checkpoint.iteration);
  progress.settled = progress.settled.then(async () => {
    try {
      await writeWhole(logOf(checkpoint.path), text);
      uploader.offer(checkpoint);
    } catch (error) {
      // Nobody waits for it here; a full disk ends the trainer at its next checkpoint.
      log.warn({ iteration: checkpoint.iteration, err: error }, 'the log of a checkpoint was not written');
    }
  });
}

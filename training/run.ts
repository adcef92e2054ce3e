import { join, resolve } from 'node:path';
import type { Logger } from 'pino';
import { PartloopError } from '../domain/base/errors.js';
import type { FailureCode } from '../domain/base/failures/failure.js';
import type { LeftOut } from '../domain/images/leftOut.js';
import { readVariables } from '../domain/settings/variables.js';
import type { ActivityDeps } from '../steps/deps.js';
import { type Heartbeat, throwIfCancelled } from '../steps/heartbeat.js';
import type { Attempt } from '../steps/runStep.js';
import { digestOf } from '../storage/digest.js';
import { CheckpointChain } from './checkpoints/checkpointChain.js';
import { CheckpointUploader, logOf } from './checkpoints/checkpointUploader.js';
import { tellLost } from './checkpoints/lostCheckpoints.js';
import { WorkDir } from './checkpoints/workDir.js';
import { writeWhole } from './files.js';
import { writeJob } from './jobFile.js';
import { runTrainer, trainerPython } from './process/process.js';
import { lastWords, trainerFailure } from './process/trainerEnd.js';
import { TrainingProgress } from './process/trainingProgress.js';
import { diskFull } from './room.js';
import { fetchAgain, gatherTrainingData, type TrainingData } from './trainingData.js';
import type { EndedRun, TrainingRun } from './trainingRun.js';

/** Counting a large training set's classes and validating say nothing for a while. */
const STALL_MS = 30 * 60_000;

/** Ends of the trainer that say nothing about other attempts, but end the retries where they come twice in a row. */
const COUNTED: ReadonlySet<FailureCode> = new Set<FailureCode>([
  'trainer-failed',
  'trainer-stalled',
  'disk-full',
  'out-of-memory',
]);

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
export async function runTraining<Work>(
  deps: ActivityDeps,
  run: TrainingRun,
  attempt: Attempt,
  beat: Heartbeat,
  finish: (ended: EndedRun) => Promise<Work>,
): Promise<Work> {
  const fetchedAgain = new Set<string>();
  const refused: LeftOut[] = [];
  for (;;) {
    const data = await gathered(deps, run, attempt, beat, refused);
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

/** The images on this disk. A disk that is too small for them counts as a failure: another machine may have room, none without end. */
async function gathered(
  deps: ActivityDeps,
  run: TrainingRun,
  attempt: Attempt,
  beat: Heartbeat,
  refused: readonly LeftOut[],
): Promise<TrainingData> {
  try {
    return await gatherTrainingData(deps, run, beat, refused);
  } catch (error) {
    const full = await asDiskFull(deps, error, 'the images of the training are wanted there');
    if (full === null) throw error;
    throw await (await claimed(deps, run, attempt)).recordFailure(full);
  }
}

/** The error of a full disk, its own or the system's; null for any other. */
async function asDiskFull(deps: ActivityDeps, error: unknown, needs: string): Promise<PartloopError | null> {
  if (error instanceof PartloopError && error.code === 'disk-full') return error;
  return diskFull(error, resolve(deps.home), needs);
}

const claimed = (deps: ActivityDeps, run: TrainingRun, { token }: Attempt): Promise<CheckpointChain> =>
  CheckpointChain.claim(deps.store, run.chainKey, {
    attempt: token,
    generation: run.generation,
    turn: run.turn,
    commands: run.commands,
    from: run.unforcedChainKey,
  });

function workDirOf({ home }: ActivityDeps, { variant }: TrainingRun, { digest, token }: Attempt): WorkDir {
  return new WorkDir(resolve(home), variant === null ? digest : digestOf({ digest, variant }), token);
}

async function trainOn<Work>(
  deps: ActivityDeps,
  data: TrainingData,
  attempt: Attempt,
  beat: Heartbeat,
  finish: (ended: EndedRun) => Promise<Work>,
): Promise<Work> {
  const { run } = data;
  const { store, log } = deps;
  const python = await trainerPython(deps.root);
  // Fetching the images may have taken longer than the server waits for this host.
  throwIfCancelled(beat.signal);
  const chain = await claimed(deps, run, attempt);
  const workDir = workDirOf(deps, run, attempt);
  const fence = new AbortController();
  let fenced: PartloopError | null = null;
  let counted = false;
  const uploader = new CheckpointUploader(store, chain, run.pin, attempt.key, log, (error) => {
    fenced = error;
    fence.abort(error);
  });

  try {
    const found = await workDir.prepare(store, chain.checkpoints, log);
    await tellLost(deps, data.run, chain, found, beat);
    const job = await writeJob(deps, data, attempt, workDir.path, chain.isStruggling);
    const iterations = run.stopAfter ?? run.config.iterations;
    const progress = await TrainingProgress.from(found.checkpoint, iterations, beat);
    if (found.checkpoint !== null && found.isLocal) uploader.offer(found.checkpoint);

    const end = await runTrainer({
      python,
      packageRoot: join(resolve(deps.root), 'trainer'),
      job: join(workDir.path, 'job.json'),
      cwd: workDir.path,
      network: run.config.weights === 'hub',
      stallMs: STALL_MS,
      graceMs: readVariables(process.env).PARTLOOP_SAVE_SECONDS * 1_000,
      signal: AbortSignal.any([beat.signal, fence.signal]),
      onLine: (line, stream) => log.info({ stream }, line),
      onMessage: (message) => {
        progress.take(message);
        if (message.type === 'warning') log.warn({ code: message.code }, message.message);
        if (message.type === 'checkpoint') offerWithLog(uploader, progress, job.workDir, message, log);
      },
    });
    await progress.settled;
    await uploader.drain();
    if (fenced !== null) throw fenced;
    const failure = trainerFailure(end);
    if (failure !== null) {
      throwIfCancelled(beat.signal);
      const { exitCode, signal } = end;
      log.error({ code: failure.code, exitCode, signal, printed: lastWords(end) }, failure.message);
      if (COUNTED.has(failure.code)) {
        counted = true;
        throw await chain.recordFailure(failure);
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
      lost: chain.lost,
      confirm: () => chain.confirm(),
    });
    await workDir.remove();
    return work;
  } catch (error) {
    await uploader.drain();
    if (fenced !== null || isFenced(error)) {
      await workDir.leave();
      throw fenced ?? error;
    }
    const full = counted ? null : await asDiskFull(deps, error, 'the files of the training are wanted there');
    if (full !== null) throw await chain.recordFailure(full);
    // A stop from outside, or a store that is away, says nothing about whether the training itself can go on.
    if (!counted)
      await chain
        .release()
        .then(() => {
          if (beat.signal.aborted)
            log.info({ checkpoint: uploader.newestIteration }, 'the training is stopped: its lease is free');
        })
        .catch(async (cause: unknown) => {
          if (isFenced(cause)) return workDir.leave();
          log.warn({ err: cause }, 'this start still counts as one without progress');
        });
    throwIfCancelled(beat.signal);
    throw error;
  }
}

const isFenced = (error: unknown): boolean => error instanceof PartloopError && error.code === 'fenced';

/** The log of a checkpoint is written beside it before it is offered, so that both travel together. */
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
      // Nobody waits for it now; a full disk ends the trainer itself at its next checkpoint.
      log.warn({ iteration: checkpoint.iteration, err: error }, 'the log of a checkpoint was not written');
    }
  });
}

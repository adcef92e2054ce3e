import type { LeftOut } from '../domain/images/leftOut.js';
import type { ActivityDeps } from '../steps/deps.js';
import type { Heartbeat } from '../steps/heartbeat.js';
import type { Attempt } from '../steps/runStep.js';
import { fetchAgain, gatherTrainingData, type TrainingData } from './data/trainingData.js';
import type { EndedRun, TrainingRun } from './trainingRun.js';
import { asDiskFull, claimLease, trainOnce, UnusableImages, workDirOf } from './trainOnce.js';

/**
 * Train to the end, from the point that an earlier attempt reached: fetch data, take the lease, fetch the checkpoint,
 * run the trainer, upload its checkpoints meanwhile, and `finish`, which publishes the results. A cancellation first
 * saves a checkpoint and then throws the cancellation's own reason. An image that the trainer cannot use is fetched
 * again; the second time it is left out, and the training starts over.
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
      return await trainOnce(deps, data, attempt, beat, finish);
    } catch (error) {
      if (!(error instanceof UnusableImages)) throw error;
      const known = knownOf(error, data.run);
      if (known.length === 0) throw error.failure;
      const again = known.filter(({ imageId }) => fetchedAgain.has(imageId));
      refused.push(...again);
      // Another list is another run: nothing continues from this run's files on the disk.
      if (again.length > 0) await workDirOf(deps, data.run, attempt).remove();
      deps.log.warn({ images: known.length, leftOut: again.length, first: known[0] }, 'the trainer cannot use images');
      for (const { imageId } of known) fetchedAgain.add(imageId);
      await fetchAgain(deps, data.run, new Set(known.map(({ imageId }) => imageId)));
    }
  }
}

/** The images named by the trainer, as far as the run has them. */
function knownOf({ images }: UnusableImages, { train, val }: TrainingRun): LeftOut[] {
  const rows = new Map([...train, ...val].map((row) => [row.imageId, row]));
  return images.flatMap(({ imageId, reason }) => {
    const row = rows.get(imageId);
    return row === undefined ? [] : [{ imageId, fileName: row.fileName, kind: 'unreadable' as const, reason }];
  });
}

/**
 * The images on this disk. A disk that is too small for them counts as a failure: another machine may have room, but
 * retries must end.
 */
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
    throw await (await claimLease(deps, run, attempt)).recordFailure(full);
  }
}

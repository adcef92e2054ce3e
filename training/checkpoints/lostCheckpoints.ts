import { PartloopError } from '../../domain/base/errors.js';
import type { ActivityDeps } from '../../steps/deps.js';
import type { Heartbeat } from '../../steps/heartbeat.js';
import type { TrainingRun } from '../trainingRun.js';
import type { CheckpointChain } from './checkpointChain.js';
import type { Prepared } from './workDir.js';

/**
 * Report the checkpoints that can no longer be used, and the cost.
 *
 * @throws PartloopError `data-invalid` if none is left: a person must decide whether to start at 0
 */
export async function tellLost(
  { log }: ActivityDeps,
  { commands, config, stopAfter }: TrainingRun,
  chain: CheckpointChain,
  { checkpoint, lost }: Prepared,
  beat: Heartbeat,
): Promise<void> {
  const newest = lost[0];
  if (newest === undefined) return;
  const which = lost.map(({ iteration, key, why }) => `${iteration} (${key} is ${why})`).join(', ');
  // A person who asked for this training again has already said that it may start at 0.
  if (checkpoint === null && !chain.checkpoints.every(({ borrowed }) => borrowed === true)) {
    throw new PartloopError('data-invalid', `every checkpoint of this training is lost: those of iterations ${which}`, {
      hint: `Restore one of these objects, then ${commands.retry}. Or train from iteration 0: ${commands.anew}.`,
    });
  }
  await chain.setAside(lost);
  const resumedFrom = checkpoint?.iteration ?? 0;
  const lostIterations = newest.iteration - resumedFrom;
  log.warn(
    { lost, resumedFrom, lostIterations },
    `checkpoints of iterations ${which}: the training goes on from iteration ${resumedFrom}, ${lostIterations} iterations are trained again`,
  );
  beat.report({
    ...{ phase: 'resuming after lost checkpoints', done: resumedFrom, total: stopAfter ?? config.iterations },
    ...{ unit: 'iterations', note: `${lostIterations} iterations are trained again: checkpoints of ${which} are lost` },
  });
}

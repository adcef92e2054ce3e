import { condition, continueAsNew, isCancellation, setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import { tuneDetails } from '../domain/loop/details.js';
import { tuneInputSchema } from '../domain/messages.js';
import { parseRecorded } from '../domain/settings/parse.js';
import { fitsInto, nextJob, type Trial } from '../domain/tune/halving.js';
import type { TuneResult } from '../domain/tune/step.js';
import { newTrial, ownTrial, rungEnds } from '../domain/tune/trials.js';
import { light, training } from './activities.js';
import { orFail, rootMessage } from './failures.js';
import { showAttributes } from './searchAttributes.js';

/**
 * Search for better training settings: propose a trial from the results so far, train it for one rung, train the best
 * of each rung for the next one, until the budget is spent. A failed trial is noted; the search continues.
 *
 * Concurrency: `tune.parallel` lanes take the next job each.
 */
export async function hyperparameterSearch(input: unknown = {}): Promise<TuneResult> {
  const { context, results, resume } = orFail(() => parseRecorded(tuneInputSchema, input, '`hyperparameterSearch`'));
  const { config, loop, iteration } = context;
  const { tune } = config;
  const trainer = training(config.durability);
  // A trial is requested dozens of times, so its input has only the values that it reads, to keep the history small.
  const lean = config.train.warmStart ? context : { ...context, previous: null };
  const { draw, sample } = results;
  const inputs = { ...(draw === undefined ? {} : { draw }), ...(sample === undefined ? {} : { sample }) };
  const ends = rungEnds(config);
  const startedAt = resume?.startedAt ?? Date.now();
  const trials: Trial[] = resume?.trials ?? [ownTrial(config)];
  const chains = new Set(resume?.chains);
  const trained = resume?.trained ?? { iterations: 0, seconds: 0 };
  let stopped: string | null = null;
  showAttributes({ loop, iteration, step: 'tune' });
  show();

  await Promise.all(Array.from({ length: tune.parallel }, lane));
  if (stopped === null && nextJob(trials, tune).kind !== 'done') {
    const state = { trials, chains: [...chains], trained, startedAt };
    return continueAsNew<typeof hyperparameterSearch>({ context, results, resume: state });
  }
  return light.finishTuning({ context, trials, chains: [...chains], stopped });

  async function lane(): Promise<void> {
    while (stopped === null && !workflowInfo().continueAsNewSuggested) {
      const job = nextJob(trials, tune);
      if (job.kind === 'done') return;
      if (job.kind === 'wait') await condition(() => stopped !== null || nextJob(trials, tune).kind !== 'wait');
      else if (job.kind === 'propose') await propose();
      else await train(trials[job.trial] as Trial, job.rung);
    }
  }

  async function propose(): Promise<void> {
    const known = trials.filter(({ settings }) => Object.keys(settings).length > 0);
    const trial: Trial = { ...newTrial(trials.length, {}), running: true };
    trials.push(trial);
    trial.settings = await trainer.proposeTrial({ context: lean, trials: known });
    trial.running = false;
  }

  /** Trains from the end of the rung below, where the trial's checkpoint is. */
  async function train(trial: Trial, rung: number): Promise<void> {
    const length = (ends[rung] ?? 0) - (ends[rung - 1] ?? 0);
    if (tune.hours !== null && !fitsInto(tune.hours - (Date.now() - startedAt) / 3_600_000, length, trained)) {
      stopped = `the budget of ${tune.hours} h leaves no time for rung ${rung + 1} of trial ${trial.trial}`;
      return;
    }
    trial.running = true;
    show();
    try {
      const { trial: number, settings } = trial;
      const result = await trainer.trainTrial({ context: lean, results: inputs, trial: number, settings, rung });
      const { valMiou } = result.facts;
      if (valMiou != null) trial.values.push(valMiou);
      else trial.error = 'no class of the validation images was labelled';
      trial.seconds += result.seconds;
      trained.iterations += length;
      trained.seconds += result.seconds;
      if (result.outputs.chain !== undefined) chains.add(result.outputs.chain);
    } catch (error) {
      if (isCancellation(error)) throw error;
      trial.error = rootMessage(error);
      if (trial.trial === 0) stopped = "the loop's own settings failed, so that there is nothing to compare with";
    } finally {
      trial.running = false;
      show();
    }
  }

  function show(): void {
    setCurrentDetails(tuneDetails(trials, ends, tune));
  }
}

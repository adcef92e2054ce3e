import { PartloopError } from '../domain/base/errors.js';
import { derivedSeed } from '../domain/base/random.js';
import { factOf, neededBy, outputOf } from '../domain/stepContract.js';
import type { IterationContext, StepInput } from '../domain/steps.js';
import { trainingRowSchema } from '../domain/tables.js';
import type { Trial } from '../domain/tune/halving.js';
import { tuningOutcome } from '../domain/tune/outcome.js';
import { type TunedSettings, tunedSettingsSchema } from '../domain/tune/space.js';
import { type TrialResult, type TuneResult, trialPart, tuneStep } from '../domain/tune/step.js';
import { proposalRequest, roundedAnswer, rungEnds, trialConfig } from '../domain/tune/trials.js';
import type { ActivityDeps } from '../steps/deps.js';
import { withHeartbeat } from '../steps/heartbeat.js';
import { forceToken, runStep } from '../steps/runStep.js';
import { digestOf } from '../storage/digest.js';
import { keys } from '../storage/keys.js';
import { writeJson } from '../storage/tables/json.js';
import { readTable } from '../storage/tables/table.js';
import { dropCheckpoints } from '../training/checkpoints/chainState.js';
import { prepareTraining } from '../training/prepare.js';
import { publishRung } from '../training/results.js';
import { runTraining } from '../training/run.js';
import { proposedParams } from '../training/settings/propose.js';
import { warmStartOf } from '../training/settings/warmStart.js';
import { runTrainingStep } from '../training/trainingStep.js';

interface ProposeInput {
  context: IterationContext;
  trials: readonly Trial[];
}

interface TrialInput extends StepInput {
  trial: number;
  settings: TunedSettings;
  rung: number;
}

interface FinishInput {
  context: IterationContext;
  trials: readonly Trial[];
  /** Keys of the trials' checkpoint chains. */
  chains: readonly string[];
  /** The reason for an end before all trials were done; null if there was none. */
  stopped: string | null;
}

/** The parts of step tune that need the trainer: a proposal, and the training of one trial up to one rung. */
export function createTrialActivities(deps: ActivityDeps) {
  return {
    proposeTrial: (input: ProposeInput) => proposeTrial(deps, input),
    trainTrial: (input: TrialInput) => trainTrial(deps, input),
  };
}

/** The end of step tune: the table of trials and the proposal; the trials' checkpoints are deleted. */
export function createTuneActivities(deps: ActivityDeps) {
  return { finishTuning: (input: FinishInput) => finishTuning(deps, input) };
}

/** Settings for the next trial, from the results so far. Depends only on these and the seed. */
async function proposeTrial(deps: ActivityDeps, { context, trials }: ProposeInput): Promise<TunedSettings> {
  const { config, iteration } = context;
  const request = proposalRequest(trials, config, derivedSeed(config.seed, iteration, 'tune'));
  return withHeartbeat(async ({ signal }) =>
    tunedSettingsSchema.parse(roundedAnswer(await proposedParams(deps, request, signal), request.space)),
  );
}

/**
 * Train one trial up to the end of a rung, from the end of the rung below, and measure it on the validation images.
 * Facts: `valMiou` and `iterations`; output `chain` points at its checkpoints.
 */
async function trainTrial(deps: ActivityDeps, input: TrialInput): Promise<TrialResult> {
  const { context, results, trial, settings, rung } = input;
  const { loop, iteration, config } = context;
  const { draw, sample } = neededBy('trial', results, ['draw', 'sample']);
  const poolVersion = factOf(draw, 'poolVersion');
  const stopAfter = rungEnds(config)[rung];
  if (stopAfter === undefined) throw new PartloopError('input-invalid', `trial ${trial} has no rung ${rung}`);
  const rows = await readTable(deps.store, outputOf(sample, 'trainingSet'), trainingRowSchema);
  return withHeartbeat(async (beat) => {
    // One seed for all trials: they see the same images in the same order, and differ by their settings.
    const warmStart = await warmStartOf(deps.store, context);
    const plan = { seedParts: ['tune'], rows, poolVersion, config: trialConfig(config, settings), warmStart };
    const { inputs, run } = await prepareTraining(deps, context, plan);
    if (run.val.length === 0) throw nothingToCompareBy(config.pool);
    const identity = { ...inputs, trial };
    const stepInputs = (trainer: string) => ({ ...identity, trainer, stopAfter });
    const step = { contract: trialPart, identity, inputs: stepInputs };
    return runTrainingStep(deps, context, step, async (attempt, attended, trainer) => {
      const { store } = attempt;
      deps.log.info({ loop, iteration, trial, rung, stopAfter }, 'training a trial');
      // One chain for all rungs of a trial.
      const digest = digestOf({ ...identity, trainer, force: forceToken(context, 'trial') });
      const chainKey = keys.checkpointChain(loop, iteration, 'trial', digest);
      const upToRung = { chainKey, unforcedChainKey: null, stopAfter, publishWeights: false };
      const training = { ...run, ...attended, ...upToRung };
      return runTraining({ ...deps, store }, training, attempt, beat, (ended) =>
        publishRung(store, ended, { trial, rung }),
      );
    });
  });
}

function nothingToCompareBy(pool: string): PartloopError {
  return new PartloopError('data-invalid', `pool \`${pool}\` has no validation images to compare trials by`, {
    hint: 'Import more images, or set `tune.enabled` to false.',
  });
}

async function finishTuning({ store }: ActivityDeps, input: FinishInput): Promise<TuneResult> {
  const { context, trials, chains, stopped } = input;
  const { config, iteration } = context;
  const { tuning, facts } = tuningOutcome(trials, { config, iteration, stopped });
  return withHeartbeat(() =>
    runStep(store, context, tuneStep, tuning, async (attempt) => {
      const outputs = { tuning: attempt.key('tuning.json') };
      await writeJson(attempt.store, outputs.tuning, tuning);
      for (const chain of chains) await dropCheckpoints(store, chain);
      return { outputs, facts };
    }),
  );
}

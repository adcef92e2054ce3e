import { PartloopError } from '../domain/base/errors.js';
import { derivedSeed } from '../domain/base/random.js';
import { factOf, neededBy, outputOf } from '../domain/stepContract.js';
import type { IterationContext, StepResults } from '../domain/steps.js';
import { trainingRowSchema } from '../domain/tables.js';
import { type Trial, winner } from '../domain/tune/halving.js';
import type { Tuning } from '../domain/tune/proposal.js';
import { type TunedSettings, tunedSettingsSchema } from '../domain/tune/space.js';
import { type TrialResult, type TuneResult, trialPart, tuneStep } from '../domain/tune/step.js';
import { proposalRequest, roundedAnswer, rungEnds, trialConfig } from '../domain/tune/trials.js';
import type { ActivityDeps } from '../steps/deps.js';
import { withHeartbeat } from '../steps/heartbeat.js';
import { forceToken, runStep } from '../steps/runStep.js';
import { digestOf } from '../storage/digest.js';
import { keys } from '../storage/keys.js';
import { readTable } from '../storage/tables/table.js';
import { dropCheckpoints } from '../training/checkpoints/chainState.js';
import { prepareTraining } from '../training/prepare.js';
import { proposedParams } from '../training/propose.js';
import { leftOutFacts, lostFacts, readRung } from '../training/results.js';
import { runTraining } from '../training/run.js';
import { runTrainingStep } from '../training/trainingStep.js';
import { warmStartOf } from '../training/warmStart.js';

/** The parts of step tune that need the trainer: a proposal, and the training of one trial up to one rung. */
export function createTrialActivities(deps: ActivityDeps) {
  const { store, log } = deps;
  return {
    /** Settings for the next trial, by what the trials so far showed. Depends on them and the seed alone. */
    async proposeTrial({
      context,
      trials,
    }: {
      context: IterationContext;
      trials: readonly Trial[];
    }): Promise<TunedSettings> {
      const { config, iteration } = context;
      const request = proposalRequest(trials, config, derivedSeed(config.seed, iteration, 'tune'));
      return withHeartbeat(async ({ signal }) =>
        tunedSettingsSchema.parse(roundedAnswer(await proposedParams(deps, request, signal), request.space)),
      );
    },

    /**
     * Train one trial up to the end of a rung, from where the rung below it ended, and measure it on the validation
     * images. Facts: `valMiou` and `iterations`; output `chain` points at its checkpoints.
     */
    async trainTrial({
      context,
      results,
      trial,
      settings,
      rung,
    }: {
      context: IterationContext;
      results: StepResults;
      trial: number;
      settings: TunedSettings;
      rung: number;
    }): Promise<TrialResult> {
      const { loop, iteration, config } = context;
      const { draw, sample } = neededBy('trial', results, ['draw', 'sample']);
      const poolVersion = factOf(draw, 'poolVersion');
      const stopAfter = rungEnds(config)[rung];
      if (stopAfter === undefined) throw new PartloopError('input-invalid', `trial ${trial} has no rung ${rung}`);
      const rows = await readTable(store, outputOf(sample, 'trainingSet'), trainingRowSchema);
      return withHeartbeat(async (beat) => {
        // One seed for all trials: they see the same images in the same order, and differ by their settings.
        const warmStart = await warmStartOf(store, context);
        const plan = { seedParts: ['tune'], rows, poolVersion, config: trialConfig(config, settings), warmStart };
        const { inputs, run } = await prepareTraining(deps, context, plan);
        if (run.val.length === 0) {
          throw new PartloopError(
            'data-invalid',
            `pool \`${config.pool}\` has no validation images to compare trials by`,
            {
              hint: 'Import more images, or set `tune.enabled` to false.',
            },
          );
        }
        const force = forceToken(context, 'trial');
        const identity = { ...inputs, trial };
        const step = {
          ...{ contract: trialPart, identity },
          inputs: (trainer: string) => ({ ...identity, trainer, stopAfter }),
        };
        return runTrainingStep(deps, context, step, async (attempt, attended, trainer) => {
          log.info({ loop, iteration, trial, rung, stopAfter }, 'training a trial');
          // One chain for all rungs of a trial.
          const chainKey = keys.checkpointChain(loop, iteration, 'trial', digestOf({ ...identity, trainer, force }));
          return runTraining(
            { ...deps, store: attempt.store },
            { ...run, ...attended, chainKey, unforcedChainKey: null, stopAfter, publishWeights: false },
            attempt,
            beat,
            async (ended) => {
              const { valMiou, iterations } = await readRung(ended.job.workDir);
              await ended.confirm();
              const outputs = { log: attempt.key('log.jsonl'), chain: ended.run.chainKey };
              await attempt.store.put(outputs.log, ended.log, 'application/x-ndjson');
              const { loss, resumes } = ended;
              return {
                outputs,
                facts: {
                  ...{ trial, rung, valMiou, iterations, loss, resumes },
                  ...lostFacts(ended),
                  ...leftOutFacts(ended.run),
                },
              };
            },
          );
        });
      });
    },
  };
}

/** The end of step tune: the table of trials and what it proposes; the trials' checkpoints are deleted. */
export function createTuneActivities({ store }: ActivityDeps) {
  return {
    async finishTuning({
      context,
      trials,
      chains,
      stopped,
    }: {
      context: IterationContext;
      trials: readonly Trial[];
      chains: readonly string[];
      stopped: string | null;
    }): Promise<TuneResult> {
      const { config, iteration } = context;
      const { rungs, minGain } = config.tune;
      const best = winner(trials, rungs, minGain);
      const ownMiou = trials.find(({ trial }) => trial === 0)?.values[rungs - 1];
      const miou = best?.values[rungs - 1];
      const tuning: Tuning = {
        version: 1,
        trials: [...trials],
        rungs: rungEnds(config),
        proposal:
          best === null || miou === undefined || ownMiou === undefined
            ? null
            : { iteration, settings: best.settings, miou, ownMiou },
        stopped,
      };
      return withHeartbeat(() =>
        runStep(store, context, tuneStep, tuning, async (attempt) => {
          const outputs = { tuning: attempt.key('tuning.json') };
          await attempt.store.put(outputs.tuning, JSON.stringify(tuning, null, 1), 'application/json');
          for (const chain of chains) await dropCheckpoints(store, chain);
          return {
            outputs,
            facts: {
              trials: trials.length,
              best: best?.trial ?? null,
              valMiou: miou ?? null,
              ownValMiou: ownMiou ?? null,
              proposed: tuning.proposal !== null,
            },
          };
        }),
      );
    },
  };
}

import type { IterationContext } from '../domain/steps.js';
import type { armPart, foldPart, TrainResult, trainStep } from '../domain/train/step.js';
import type { ActivityDeps } from '../steps/deps.js';
import { withHeartbeat } from '../steps/heartbeat.js';
import { type Attempt, isCommitted } from '../steps/runStep.js';
import { keys } from '../storage/keys.js';
import { prepareTraining, type TrainingPlan } from './prepare.js';
import { publishModel } from './results.js';
import { runTraining } from './run.js';
import { runTrainingStep } from './trainingStep.js';

type ModelContract = typeof trainStep | typeof foldPart | typeof armPart;

/** Train a whole model by its plan and publish it, unless that is done. */
export async function trainModel(
  deps: ActivityDeps,
  context: IterationContext,
  contract: ModelContract,
  plan: TrainingPlan,
): Promise<TrainResult> {
  return withHeartbeat(async (beat) => {
    const { loop, iteration } = context;
    const { step } = contract;
    const { inputs: identity, run } = await prepareTraining(deps, context, plan);
    const inputs = (trainer: string) => ({ ...identity, trainer, step });
    return runTrainingStep(deps, context, { contract, identity, inputs }, async (attempt, attended) => {
      const { store } = attempt;
      deps.log.info(
        { loop, iteration, step, images: plan.rows.length, iterations: plan.config.iterations },
        'training',
      );
      const chains = await chainsOf(deps, context, step, attempt);
      const training = { ...run, ...attended, ...chains, publishWeights: leavesWeights(step, plan) };
      return runTraining({ ...deps, store }, training, attempt, beat, (ended) => publishModel(store, ended));
    });
  });
}

/** Nothing starts from the weights of a control unless each training starts from those of the last iteration. */
const leavesWeights = (step: ModelContract['step'], { config }: TrainingPlan): boolean =>
  step === 'train' || (step === 'arm' && config.warmStart);

/** Place of the run's checkpoints. A replay repeats a finished run; an unfinished run continues. */
async function chainsOf(
  { store }: ActivityDeps,
  context: IterationContext,
  step: ModelContract['step'],
  { digest, unforced }: Attempt,
): Promise<{ chainKey: string; unforcedChainKey: string | null }> {
  const chain = (of: string): string => keys.checkpointChain(context.loop, context.iteration, step, of);
  const isUnfinished = unforced !== null && !(await isCommitted(store, context, step, unforced));
  return { chainKey: chain(digest), unforcedChainKey: isUnfinished ? chain(unforced) : null };
}

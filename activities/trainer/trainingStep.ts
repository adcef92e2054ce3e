import type { IterationContext, StepResult } from '../../domain/steps.js';
import { digestOf } from '../../storage/digest.js';
import { keys } from '../../storage/keys.js';
import type { ActivityDeps } from '../deps.js';
import { type Attempt, forceToken, runStep, type StepWork } from '../step.js';
import { commandsFor, generationOf, turnOf } from './attended.js';
import { ownRecipe, pinnedRecipe, RecipePin } from './recipe.js';
import type { Attended } from './trainingRun.js';

export interface TrainingStep {
  step: 'train' | 'fold' | 'trial';
  version: number;
  /** What decides the weights, beside the recipe. */
  identity: Record<string, unknown>;
  /** What else goes into the digest of this part of the run. */
  part: Record<string, unknown>;
}

/**
 * Do a training unless it is done, under the recipe that it keeps to: what another recipe ended is found done, and what it began
 * waits for a worker that has it. Any build of one recipe goes on with the same run.
 *
 * @throws PartloopError `recipe-mismatch`, and `checkpoint-incompatible` where no worker of the recipe came
 */
export async function runTrainingStep(
  { store, root }: ActivityDeps,
  context: IterationContext,
  { step, version, identity, part }: TrainingStep,
  work: (attempt: Attempt, run: Attended & { inputs: Record<string, unknown> }) => Promise<StepWork>,
): Promise<StepResult> {
  const own = await ownRecipe(root);
  const pinDigest = digestOf({ step, version, identity, force: forceToken(context, step) });
  const pinKey = keys.recipePin(context.loop, context.iteration, step, pinDigest);
  const recipe = (await pinnedRecipe(store, pinKey)) ?? own;
  const inputs = { ...identity, trainer: recipe.key };
  return runStep(store, context, step, version, { ...inputs, ...part }, async (attempt) => {
    const generation = generationOf(context);
    const turn = turnOf();
    const commands = commandsFor(context, step);
    const pin = await RecipePin.claim(store, pinKey, { own, attempt: attempt.token, generation, turn, commands });
    return work(attempt, { generation, turn, commands, pin, inputs });
  });
}

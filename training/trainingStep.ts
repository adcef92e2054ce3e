import type { z } from 'zod';
import type { ResultOf, StepContract, WorkOf } from '../domain/stepContract.js';
import type { IterationContext } from '../domain/steps.js';
import type { ActivityDeps } from '../steps/deps.js';
import { type Attempt, forceToken, runStep } from '../steps/runStep.js';
import { digestOf } from '../storage/digest.js';
import { keys } from '../storage/keys.js';
import { commandsFor, generationOf, turnOf } from './attended.js';
import { ownRecipe, pinnedRecipe, RecipePin } from './settings/recipe.js';
import type { Attended } from './trainingRun.js';

/** The contract of a training. */
type TrainingContract = StepContract & { readonly step: 'train' | 'fold' | 'trial' | 'arm' };

export interface TrainingStep<C extends TrainingContract> {
  contract: C;
  /** The values that decide the weights, beside the recipe. */
  identity: Readonly<Record<string, unknown>>;
  /** The inputs of this part of the run, with the key of the recipe that trains it. */
  inputs(trainer: string): z.input<C['inputs']>;
}

/**
 * Do a training unless it is done, under its recipe. A training that another recipe finished is found done; one that it
 * began waits for a worker with that recipe. Any build of one recipe continues the same run. `work` gets the recipe's
 * key.
 *
 * @throws PartloopError `recipe-mismatch`, and `checkpoint-incompatible` if no worker of the recipe came
 */
export async function runTrainingStep<C extends TrainingContract>(
  { store, root }: ActivityDeps,
  context: IterationContext,
  { contract, identity, inputs }: TrainingStep<C>,
  work: (attempt: Attempt, attended: Attended, trainer: string) => Promise<WorkOf<C>>,
): Promise<ResultOf<C>> {
  const { step, version } = contract;
  const own = await ownRecipe(root);
  const pinDigest = digestOf({ step, version, identity, force: forceToken(context, step) });
  const pinKey = keys.recipePin(context.loop, context.iteration, step, pinDigest);
  const recipe = (await pinnedRecipe(store, pinKey)) ?? own;
  return runStep(store, context, contract, inputs(recipe.key), async (attempt) => {
    const generation = generationOf(context);
    const turn = turnOf();
    const commands = commandsFor(context, step);
    const pin = await RecipePin.claim(store, pinKey, { own, attempt: attempt.token, generation, turn, commands });
    return work(attempt, { generation, turn, commands, pin }, recipe.key);
  });
}

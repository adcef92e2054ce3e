import { PartloopError } from '../domain/base/errors.js';
import { foldTraining } from '../domain/scan/judge/foldTraining.js';
import { scanPlanSchema } from '../domain/scan/judge/plan.js';
import { factOf, neededBy, outputOf } from '../domain/stepContract.js';
import type { IterationContext, StepInput } from '../domain/steps.js';
import { chunkRowSchema, trainingRowSchema } from '../domain/tables.js';
import { type FoldResult, foldPart, type TrainResult, trainStep } from '../domain/train/step.js';
import { drawImages } from '../pool/drawImages.js';
import type { ActivityDeps } from '../steps/deps.js';
import { poolOf } from '../steps/pool.js';
import { digestOfTaxonomy } from '../storage/digest.js';
import { readRegistry, registerBenchmark, trainedModel } from '../storage/registry.js';
import { readJson } from '../storage/tables/json.js';
import { readTable } from '../storage/tables/table.js';
import { warmStartOf } from '../training/settings/warmStart.js';
import { trainModel } from '../training/trainModel.js';

interface FoldInput {
  context: IterationContext;
  planKey: string;
  fold: number;
}

interface BaselineInput {
  context: IterationContext;
  poolVersion: number;
  count: number;
  seed: number;
}

/** Step train, and the trainings beside it: folds of cross-validation, and a baseline on random images. */
export function createTrainActivities(deps: ActivityDeps) {
  return {
    train: (input: StepInput) => train(deps, input),
    trainFold: (input: FoldInput) => trainFold(deps, input),
    trainRandomBaseline: (input: BaselineInput) => trainRandomBaseline(deps, input),
    ensureBenchmark: (input: StepInput) => ensureBenchmark(deps, input),
  };
}

/** Train on all picks so far. */
async function train(deps: ActivityDeps, { context, results }: StepInput): Promise<TrainResult> {
  const { draw, sample } = neededBy('train', results, ['draw', 'sample']);
  const rows = await readTable(deps.store, outputOf(sample, 'trainingSet'), trainingRowSchema);
  return trainModel(deps, context, trainStep, {
    seedParts: ['train'],
    rows,
    poolVersion: factOf(draw, 'poolVersion'),
    config: context.config.train,
    warmStart: await warmStartOf(deps.store, context),
  });
}

/** Train the model that judges one fold of the scan, on the rest. */
async function trainFold(deps: ActivityDeps, { context, planKey, fold }: FoldInput): Promise<FoldResult> {
  const plan = await readJson(deps.store, planKey, scanPlanSchema);
  const entry = plan.folds.find((candidate) => candidate.fold === fold);
  if (entry === undefined) throw new PartloopError('input-invalid', `${planKey} has no fold ${fold}`);
  const rows = await readTable(deps.store, entry.trainingSet, chunkRowSchema);
  return trainModel(deps, context, foldPart, {
    seedParts: ['fold', fold],
    rows,
    poolVersion: plan.poolVersion,
    config: foldTraining(context.config.train, context.config.scan),
    warmStart: null,
    anySplit: plan.split !== 'train',
  });
}

/**
 * Train on `count` images drawn at random from the pool, with labels as given and the loop's settings, for comparison
 * with the loop's picks.
 */
async function trainRandomBaseline(
  deps: ActivityDeps,
  { context, poolVersion, count, seed }: BaselineInput,
): Promise<TrainResult> {
  const { pool: name, train: config } = context.config;
  const request = { drawnBefore: new Set<string>(), chunkSize: count, seed, iteration: 0 };
  const { rows } = await drawImages(await poolOf(deps, name), poolVersion, request, { store: deps.store });
  return trainModel(deps, context, trainStep, {
    seedParts: ['baseline', seed],
    rows,
    poolVersion,
    config: { ...config, warmStart: false },
    warmStart: null,
  });
}

/** If no model is in production: train one on `baselineImages` random images and register it. */
async function ensureBenchmark(deps: ActivityDeps, { context, results }: StepInput): Promise<TrainResult | null> {
  const { store } = deps;
  const { baselineImages, pool: name, seed } = context.config;
  const poolVersion = results.draw?.facts.poolVersion;
  if (baselineImages === null || poolVersion === undefined) return null;
  const taxonomyDigest = digestOfTaxonomy((await poolOf(deps, name)).taxonomy);
  if ((await readRegistry(store, taxonomyDigest)).model !== null) return null;

  const result = await trainRandomBaseline(deps, { context, poolVersion, count: baselineImages, seed });
  const model = await trainedModel(store, result, { loop: context.loop, iteration: null });
  await registerBenchmark(store, taxonomyDigest, model, `baseline on ${baselineImages} random images`);
  return result;
}

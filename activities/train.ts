import { PartloopError } from '../domain/base/errors.js';
import { drawChunk } from '../domain/draw/drawChunk.js';
import { scanPlanSchema } from '../domain/scan/plan.js';
import { factOf, neededBy, outputOf } from '../domain/stepContract.js';
import type { IterationContext, StepResults } from '../domain/steps.js';
import { chunkRowSchema, trainingRowSchema } from '../domain/tables.js';
import { modelCardSchema } from '../domain/train/modelCard.js';
import { type FoldResult, foldPart, type TrainResult, trainStep } from '../domain/train/step.js';
import type { ActivityDeps } from '../steps/deps.js';
import { withHeartbeat } from '../steps/heartbeat.js';
import { poolOf } from '../steps/pool.js';
import { isCommitted } from '../steps/runStep.js';
import { digestOfTaxonomy } from '../storage/digest.js';
import { keys } from '../storage/keys.js';
import { readRegistry, registerBenchmark } from '../storage/registry.js';
import { readJson } from '../storage/tables/json.js';
import { readTable } from '../storage/tables/table.js';
import { prepareTraining, type TrainingPlan } from '../training/prepare.js';
import { publishModel } from '../training/results.js';
import { runTraining } from '../training/run.js';
import { runTrainingStep } from '../training/trainingStep.js';
import { warmStartOf } from '../training/warmStart.js';

/** Step train, and the trainings beside it: folds of cross-validation, and a baseline on random images. */
export function createTrainActivities(deps: ActivityDeps) {
  const { store, log } = deps;

  /** Train on everything picked so far. */
  async function train({
    context,
    results,
  }: {
    context: IterationContext;
    results: StepResults;
  }): Promise<TrainResult> {
    const { draw, sample } = neededBy('train', results, ['draw', 'sample']);
    const rows = await readTable(store, outputOf(sample, 'trainingSet'), trainingRowSchema);
    return trainOn(context, trainStep, {
      seedParts: ['train'],
      rows,
      poolVersion: factOf(draw, 'poolVersion'),
      config: context.config.train,
      warmStart: await warmStartOf(store, context),
    });
  }

  /** Train the model that judges one fold of the scan, on the rest. */
  async function trainFold({
    context,
    planKey,
    fold,
  }: {
    context: IterationContext;
    planKey: string;
    fold: number;
  }): Promise<FoldResult> {
    const plan = await readJson(store, planKey, scanPlanSchema);
    const entry = plan.folds.find((candidate) => candidate.fold === fold);
    if (entry === undefined) throw new PartloopError('input-invalid', `${planKey} has no fold ${fold}`);
    const { train: config, scan } = context.config;
    const iterations = Math.max(1, Math.round(config.iterations * scan.foldIterationShare));
    const rows = await readTable(store, entry.trainingSet, chunkRowSchema);
    return trainOn(context, foldPart, {
      seedParts: ['fold', fold],
      rows,
      poolVersion: plan.poolVersion,
      // A judge knows nothing of the images that it judges.
      config: { ...config, iterations, warmStart: false },
      warmStart: null,
      anySplit: plan.split !== 'train',
    });
  }

  /**
   * Train on `count` images drawn at random from the pool, labels as given, with the loop's settings: what the loop's
   * picks are compared with.
   */
  async function trainRandomBaseline(input: {
    context: IterationContext;
    poolVersion: number;
    count: number;
    seed: number;
  }): Promise<TrainResult> {
    const { context, poolVersion, count, seed } = input;
    const pool = await poolOf(deps, context.config.pool);
    const index = await pool.readIndex(poolVersion);
    const { rows } = drawChunk({
      index,
      drawnBefore: new Set(),
      chunkSize: count,
      seed,
      iteration: 0,
      pool: context.config.pool,
    });
    return trainOn(context, trainStep, {
      seedParts: ['baseline', seed],
      rows,
      poolVersion,
      config: { ...context.config.train, warmStart: false },
      warmStart: null,
    });
  }

  /** Where no model is in production: train one on `baselineImages` random images and register it. */
  async function ensureBenchmark({
    context,
    results,
  }: {
    context: IterationContext;
    results: StepResults;
  }): Promise<TrainResult | null> {
    const { baselineImages, pool: name, seed } = context.config;
    const poolVersion = results.draw?.facts.poolVersion;
    if (baselineImages === null || poolVersion === undefined) return null;
    const taxonomyDigest = digestOfTaxonomy((await poolOf(deps, name)).taxonomy);
    if ((await readRegistry(store, taxonomyDigest)).model !== null) return null;

    const result = await trainRandomBaseline({ context, poolVersion, count: baselineImages, seed });
    const [scan, card] = [outputOf(result, 'scan'), outputOf(result, 'card')];
    const digest = (await readJson(store, card, modelCardSchema)).files.scan;
    await registerBenchmark(
      store,
      taxonomyDigest,
      { scan, card, digest, loop: context.loop, iteration: null },
      `baseline on ${baselineImages} random images`,
    );
    return result;
  }

  async function trainOn(
    context: IterationContext,
    contract: typeof trainStep | typeof foldPart,
    plan: TrainingPlan,
  ): Promise<TrainResult | FoldResult> {
    return withHeartbeat(async (beat) => {
      const { loop, iteration } = context;
      const { step } = contract;
      const { inputs: identity, run } = await prepareTraining(deps, context, plan);
      const inputs = (trainer: string) => ({ ...identity, trainer, step });
      return runTrainingStep(deps, context, { contract, identity, inputs }, async (attempt, attended) => {
        log.info({ loop, iteration, step, images: plan.rows.length, iterations: plan.config.iterations }, 'training');
        const chain = (digest: string): string => keys.checkpointChain(loop, iteration, step, digest);
        // A replay does anew what is done; what never ended goes on.
        const { unforced } = attempt;
        const isUnfinished = unforced !== null && !(await isCommitted(store, context, step, unforced));
        const unforcedChainKey = isUnfinished ? chain(unforced) : null;
        const publishWeights = step === 'train';
        const chainKey = chain(attempt.digest);
        const published = { ...deps, store: attempt.store };
        return runTraining(
          published,
          { ...run, ...attended, chainKey, unforcedChainKey, publishWeights },
          attempt,
          beat,
          (ended) => publishModel(published.store, ended),
        );
      });
    });
  }

  return { train, trainFold, trainRandomBaseline, ensureBenchmark };
}

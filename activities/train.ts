import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { TrainConfig } from '../domain/config.js';
import { assertNoLeak, drawChunk } from '../domain/draw/drawChunk.js';
import { PartloopError } from '../domain/errors.js';
import { modelCardSchema } from '../domain/modelCard.js';
import { derivedSeed } from '../domain/random.js';
import { scanPlanSchema } from '../domain/scanPlan.js';
import type { IterationContext, StepResult, StepResults } from '../domain/steps.js';
import { type ChunkRow, chunkRowSchema, type IndexRow, trainingRowSchema } from '../domain/tables.js';
import { readJson } from '../storage/json.js';
import { keys } from '../storage/keys.js';
import { readRegistry, registerBenchmark } from '../storage/registry.js';
import { readTable } from '../storage/table.js';
import type { ActivityDeps } from './deps.js';
import { type Heartbeat, withHeartbeat } from './heartbeat.js';
import { poolOf } from './pool.js';
import { digestOf, runStep } from './step.js';
import { runTraining } from './trainer/run.js';

const VERSION = 1;

/** Everything that decides the weights of one run. */
interface TrainingPlan {
  step: 'train' | 'fold';
  /** Separates the seeds of runs within one step. */
  seedParts: readonly (string | number)[];
  rows: readonly ChunkRow[];
  /** Pool version whose val split measures the model. */
  poolVersion: number;
  config: TrainConfig;
}

/** Step train, and the trainings beside it: folds of cross-validation, and a baseline on random images. */
export function createTrainActivities(deps: ActivityDeps) {
  const { store, log } = deps;

  /** Train on everything picked so far. */
  async function train({ context, results }: { context: IterationContext; results: StepResults }): Promise<StepResult> {
    const { sample, draw } = results;
    const trainingSet = sample?.outputs.trainingSet;
    const poolVersion = draw?.facts.poolVersion;
    if (trainingSet === undefined || typeof poolVersion !== 'number') {
      throw new PartloopError(
        'input-invalid',
        `iteration ${context.iteration}: train needs the results of draw and sample`,
      );
    }
    const rows = await readTable(store, trainingSet, trainingRowSchema);
    return trainOn(context, { step: 'train', seedParts: ['train'], rows, poolVersion, config: context.config.train });
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
  }): Promise<StepResult> {
    const plan = await readJson(store, planKey, scanPlanSchema);
    const entry = plan.folds.find((candidate) => candidate.fold === fold);
    if (entry === undefined) throw new PartloopError('input-invalid', `${planKey} has no fold ${fold}`);
    const { train: config, scan } = context.config;
    const iterations = Math.max(1, Math.round(config.iterations * scan.foldIterationShare));
    const rows = await readTable(store, entry.trainingSet, chunkRowSchema);
    return trainOn(context, {
      step: 'fold',
      seedParts: ['fold', fold],
      rows,
      poolVersion: plan.poolVersion,
      config: { ...config, iterations },
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
  }): Promise<StepResult> {
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
    return trainOn(context, {
      step: 'train',
      seedParts: ['baseline', seed],
      rows,
      poolVersion,
      config: context.config.train,
    });
  }

  /** Where no model is in production: train one on `baselineImages` random images and register it. */
  async function ensureBenchmark({
    context,
    results,
  }: {
    context: IterationContext;
    results: StepResults;
  }): Promise<StepResult | null> {
    const { baselineImages, pool: name, seed } = context.config;
    const poolVersion = results.draw?.facts.poolVersion;
    if (baselineImages === null || typeof poolVersion !== 'number') return null;
    const taxonomyDigest = digestOf((await poolOf(deps, name)).taxonomy);
    if ((await readRegistry(store, taxonomyDigest)).model !== null) return null;

    const result = await trainRandomBaseline({ context, poolVersion, count: baselineImages, seed });
    const { scan, card } = result.outputs;
    if (scan === undefined || card === undefined) throw new PartloopError('internal', 'the baseline has no model');
    const digest = (await readJson(store, card, modelCardSchema)).files.scan;
    await registerBenchmark(
      store,
      taxonomyDigest,
      { scan, card, digest, loop: context.loop, iteration: null },
      `baseline on ${baselineImages} random images`,
    );
    return result;
  }

  async function trainOn(context: IterationContext, plan: TrainingPlan): Promise<StepResult> {
    return withHeartbeat((beat) => trainHeard(context, plan, beat));
  }

  async function trainHeard(context: IterationContext, plan: TrainingPlan, beat: Heartbeat): Promise<StepResult> {
    const { loop, iteration, config: loopConfig } = context;
    const pool = await poolOf(deps, loopConfig.pool);
    const index = await pool.readIndex(plan.poolVersion);
    const val = index.filter((row) => row.split === 'val' && row.region !== 'interior');
    if (plan.rows.length === 0) {
      throw new PartloopError('data-invalid', `iteration ${iteration} has an empty training set`, {
        hint: 'Raise `sample.share` or the chunk size, or review the quarantine.',
      });
    }
    assertNoLeak(
      plan.rows,
      index.filter((row) => row.split === 'test'),
    );

    const taxonomyDigest = digestOf(pool.taxonomy);
    const trainingSetDigest = listDigest(plan.rows);
    const seed = derivedSeed(loopConfig.seed, iteration, ...plan.seedParts);
    const inputs = {
      config: plan.config,
      seed,
      iteration,
      step: plan.step,
      taxonomyDigest,
      trainingSetDigest,
      val: listDigest(val),
      evaluationSize: loopConfig.evaluationSize,
      trainer: await trainerDigest(deps.root),
    };
    return runStep(store, context, plan.step, VERSION, inputs, async (attempt) => {
      log.info(
        { loop, iteration, step: plan.step, images: plan.rows.length, iterations: plan.config.iterations },
        'training',
      );
      const run = {
        pool: loopConfig.pool,
        taxonomy: pool.taxonomy,
        taxonomyDigest,
        train: plan.rows,
        val,
        trainingSetDigest,
        config: plan.config,
        seed,
        evaluationSize: loopConfig.evaluationSize,
        list: { images: plan.rows.map(({ imageId, vehicleId, cluster }) => ({ imageId, vehicleId, cluster })) },
        chainKey: keys.checkpointChain(loop, iteration, plan.step, attempt.digest),
      };
      return runTraining(deps, run, attempt, beat);
    });
  }

  return { train, trainFold, trainRandomBaseline, ensureBenchmark };
}

/** Digest of which images with which labels, whatever their order. */
function listDigest(rows: readonly IndexRow[]): string {
  return digestOf(rows.map((row) => `${row.imageId} ${row.labelSha256}`).sort());
}

/** Digest of the trainer's source and lock files: another PyTorch or another recipe is another model. */
async function trainerDigest(root: string): Promise<string> {
  const folder = join(resolve(root), 'trainer');
  const source = join(folder, 'partloop_trainer');
  const locks = (await readdir(folder))
    .filter((name) => /^requirements.*\.lock\.txt$/.test(name))
    .map((name) => join(folder, name));
  const modules = (await readdir(source)).filter((name) => name.endsWith('.py')).map((name) => join(source, name));
  const hash = createHash('sha256');
  for (const path of [...locks.sort(), ...modules.sort()]) {
    hash
      .update(`${path.slice(folder.length)}\n`)
      .update(await readFile(path))
      .update('\0');
  }
  return hash.digest('hex');
}

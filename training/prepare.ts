import { PartloopError } from '../domain/base/errors.js';
import { derivedSeed } from '../domain/base/random.js';
import type { TrainConfig } from '../domain/config.js';
import { copyDetector } from '../domain/draw/copyDetector.js';
import { idsAt, rowsWhere, splitAt } from '../domain/draw/drawColumns.js';
import { assertNoLeak, TestSet } from '../domain/draw/testSet.js';
import type { IterationContext } from '../domain/steps.js';
import type { ChunkRow, IndexRow } from '../domain/tables.js';
import type { TrainingList } from '../domain/train/modelCard.js';
import type { TrainingIdentity } from '../domain/train/step.js';
import type { ActivityDeps } from '../steps/deps.js';
import { poolOf } from '../steps/pool.js';
import { isForced } from '../steps/runStep.js';
import { digestOf, digestOfTaxonomy } from '../storage/digest.js';
import { keys } from '../storage/keys.js';
import type { Pool } from '../storage/pool/pool.js';
import type { WarmStart } from './settings/warmStart.js';
import type { Attended, TrainingRun } from './trainingRun.js';

/** All values that decide the weights of one run. */
export interface TrainingPlan {
  /** Separates the seeds of runs within one iteration. */
  seedParts: readonly (string | number)[];
  rows: readonly ChunkRow[];
  /** Pool version whose val split measures the model. */
  poolVersion: number;
  config: TrainConfig;
  /** Weights of an earlier run to start from. */
  warmStart: WarmStart | null;
  /**
   * For a fold that judges only one scan: it may learn from any side of the split, except the images that it judges.
   */
  anySplit?: boolean;
}

export interface PreparedTraining {
  /** The parts of the run's digest beside the trainer's recipe. */
  inputs: TrainingIdentity;
  run: Omit<TrainingRun, 'chainKey' | 'unforcedChainKey' | 'publishWeights' | keyof Attended>;
}

/**
 * A run from its plan: validation images, digests and seed; refuses an empty training set and one that holds test
 * images.
 */
export async function prepareTraining(
  deps: ActivityDeps,
  context: IterationContext,
  plan: TrainingPlan,
): Promise<PreparedTraining> {
  const { iteration, config: loopConfig } = context;
  const pool = await poolOf(deps, loopConfig.pool);
  const { warmStart } = plan;
  // What earlier runs saw is in the weights still.
  const seen = warmStart?.seen.map(({ imageId }) => imageId) ?? [];
  const { measured, leaked, test } = await readSides(pool, plan.poolVersion, seen);
  const val = plan.anySplit === true ? notTrainedOn(measured, plan.rows) : measured;
  if (plan.rows.length === 0) {
    throw new PartloopError('data-invalid', `iteration ${iteration} has an empty training set`, {
      hint: 'Raise `sample.share` (or `sample.count`) or the chunk size, or review the quarantine.',
    });
  }
  assertNoLeak([...(plan.anySplit === true ? [] : plan.rows), ...leaked], test);
  const taxonomyDigest = digestOfTaxonomy(pool.taxonomy);
  const trainingSetDigest = listDigest(plan.rows);
  const seed = derivedSeed(loopConfig.seed, iteration, ...plan.seedParts);
  const { evaluationSize, badImageShare } = loopConfig;
  const valDigest = listDigest(val);
  // All trainings of an iteration on one list leave out the same images, so that trials stay comparable.
  const list = { trainingSetDigest, val: valDigest, force: isForced(context, 'train') ? context.force?.token : null };
  return {
    inputs: {
      config: plan.config,
      seed,
      iteration,
      taxonomyDigest,
      trainingSetDigest,
      val: valDigest,
      evaluationSize,
      ...(warmStart === null ? {} : { warmStart: warmStart.weightsSha256 }),
      // The classes are unchanged; their mirror pairs may have changed.
      ...(pool.taxonomy.identity === undefined ? {} : { rules: digestOf(pool.taxonomy) }),
    },
    run: {
      pool: loopConfig.pool,
      taxonomy: pool.taxonomy,
      taxonomyDigest,
      train: plan.rows,
      val,
      trainingSetDigest,
      config: plan.config,
      seed,
      evaluationSize,
      list: { images: everSeen(plan) },
      warmStart,
      leftOutKey: keys.leftOut(context.loop, iteration, digestOf(list)),
      badImageShare,
      leftOut: { train: [], val: [] },
      variant: null,
    },
  };
}

/** What a run needs of the pool: few whole rows, since the index may be large. */
interface Sides {
  /** Validation images that show the outside of a car. */
  measured: IndexRow[];
  /** Images that were seen and that share something with the test set. */
  leaked: IndexRow[];
  test: TestSet;
}

async function readSides(pool: Pool, poolVersion: number, seen: readonly string[]): Promise<Sides> {
  const index = await pool.readDrawColumns(poolVersion);
  const test = TestSet.ofColumns(index);
  const shares = test.sharesOfRow(index);
  const isLeaked = (row: number): boolean => splitAt(index, row) === 'test' || shares(row) !== null;
  const leaked = new Set(
    seen.filter((imageId) => {
      const row = index.ids.find(imageId);
      return row >= 0 && isLeaked(row);
    }),
  );
  const val = rowsWhere(index, (row) => splitAt(index, row) === 'val' && index.interior[row] === 0);
  const measured = idsAt(index, val);
  const rows = await pool.readImages(poolVersion, new Set([...measured, ...leaked]));
  return {
    measured: rows.filter(({ imageId }) => measured.has(imageId)),
    leaked: rows.filter(({ imageId }) => leaked.has(imageId)),
    test,
  };
}

/** Validation images whose vehicle and whose copies the run does not learn from either. */
function notTrainedOn(val: readonly IndexRow[], rows: readonly ChunkRow[]): IndexRow[] {
  const ids = new Set(rows.map(({ imageId }) => imageId));
  const vehicles = new Set(rows.flatMap(({ vehicleId }) => vehicleId ?? []));
  const isCopy = copyDetector(rows.map(({ perceptualHash }) => perceptualHash));
  return val.filter(
    (row) =>
      !ids.has(row.imageId) && !(row.vehicleId !== null && vehicles.has(row.vehicleId)) && !isCopy(row.perceptualHash),
  );
}

/** All training images of the final weights: those of the run, and those of the weights from which it starts. */
function everSeen({ rows, warmStart }: TrainingPlan): TrainingList['images'] {
  const images = rows.map(({ imageId, vehicleId, cluster }) => ({ imageId, vehicleId, cluster }));
  const own = new Set(images.map(({ imageId }) => imageId));
  return [...images, ...(warmStart?.seen.filter(({ imageId }) => !own.has(imageId)) ?? [])];
}

/** Digest of images with their labels, in any order. */
export function listDigest(rows: readonly IndexRow[]): string {
  return digestOf(rows.map((row) => `${row.imageId} ${row.labelSha256}`).sort());
}

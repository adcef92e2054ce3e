import { PartloopError } from '../domain/base/errors.js';
import { idsAt, rowsWhere, splitAt } from '../domain/draw/drawColumns.js';
import { nearDuplicateGroups } from '../domain/draw/nearDuplicates.js';
import type { DrawResult } from '../domain/draw/step.js';
import type { ScanJudge } from '../domain/messages.js';
import { assignFolds } from '../domain/scan/judge/folds.js';
import { hasSeen, type JudgeCandidate, rankJudges } from '../domain/scan/judge/judges.js';
import { type ScanPlan, scanPlanSchema } from '../domain/scan/judge/plan.js';
import { type SplitChoice, splitChoiceSchema } from '../domain/scan/judge/split.js';
import { planPart } from '../domain/scan/step.js';
import { factOf, neededBy, outputOf } from '../domain/stepContract.js';
import type { IterationContext, StepResults } from '../domain/steps.js';
import { type ChunkRow, chunkRowSchema } from '../domain/tables.js';
import { judgeCandidates } from '../inference/scan/judgeCandidates.js';
import { readTrainingRows } from '../pool/trainingSet.js';
import type { ActivityDeps } from '../steps/deps.js';
import { poolOf } from '../steps/pool.js';
import { type Attempt, runStep } from '../steps/runStep.js';
import { readJson } from '../storage/tables/json.js';
import { readTable, writeTable } from '../storage/tables/table.js';

export interface PlannedScan {
  planKey: string;
  shards: number;
  folds: number[];
}

/**
 * Decide the judge of each image. A model judges only images, vehicles and duplicate clusters that are not in its
 * training list; the rest is cross-validated, by folds that keep vehicles and clusters together.
 */
export async function planScan(
  deps: ActivityDeps,
  context: IterationContext,
  results: StepResults,
  judge?: ScanJudge,
): Promise<PlannedScan> {
  const { store } = deps;
  const { config } = context;
  const { draw } = neededBy('scan', results, ['draw']);
  const poolVersion = factOf(draw, 'poolVersion');
  const { value: candidates, keep: keepCandidates } = await judgeCandidates(deps, context, draw, judge);
  const judges = rankJudges(candidates, config.scan.judgeTolerance);
  const { folds, shardSize, crossValidateFrom } = config.scan;
  const inputs = {
    draw: draw.digest,
    judges: judges.map(({ cardKey }) => cardKey),
    folds,
    shardSize,
    crossValidateFrom,
    seed: config.seed,
    iteration: context.iteration,
  };

  const planned = await runStep(store, context, planPart, inputs, async (attempt) => {
    const chunk = await readTable(store, outputOf(draw, 'chunk'), chunkRowSchema);
    const split = splitOf(draw, judge);
    const side = split === 'train' ? null : await sideOf(deps, config.pool, poolVersion, split);
    const able = side === null ? judges : judges.map((candidate) => seenAs(candidate, side.clusterOf));
    const plan = await makePlan(deps, context, attempt, chunk, able, { poolVersion, split, side });
    const key = attempt.key('plan.json');
    await attempt.store.put(key, JSON.stringify(scanPlanSchema.parse(plan), null, 1), 'application/json');
    await keepCandidates();
    return { outputs: { plan: key }, facts: { shards: plan.shards.length, folds: plan.folds.length } };
  });
  const planKey = outputOf(planned, 'plan');
  const plan = await readJson(store, planKey, scanPlanSchema);
  return { planKey, shards: plan.shards.length, folds: plan.folds.map(({ fold }) => fold) };
}

async function makePlan(
  deps: ActivityDeps,
  context: IterationContext,
  attempt: Attempt,
  chunk: readonly ChunkRow[],
  judges: readonly JudgeCandidate[],
  { poolVersion, split, side }: { poolVersion: number; split: SplitChoice; side: Side | null },
): Promise<ScanPlan> {
  const { store } = attempt;
  const { config, iteration } = context;
  const groups = new Map<number, ChunkRow[]>();
  const unjudgeable: ChunkRow[] = [];
  for (const row of chunk) {
    const judge = judges.findIndex((candidate) => !hasSeen(candidate, row));
    if (judge === -1) unjudgeable.push(row);
    else if (!groups.get(judge)?.push(row)) groups.set(judge, [row]);
  }
  const plan: ScanPlan = {
    version: 1,
    poolVersion,
    split,
    folds: [],
    shards: [],
    unjudged: [],
    judges: judges.map(({ name, scanKey, cardKey }) => ({ kind: 'model', name, scanKey, cardKey })),
  };
  // Otherwise a small pool would pass entirely unjudged, and nothing could be picked from it.
  const enough = Math.min(config.scan.crossValidateFrom, Math.ceil(chunk.length / 4));
  if (unjudgeable.length >= Math.max(1, enough)) await addFolds();
  else plan.unjudged = unjudgeable.map(({ imageId }) => imageId);
  for (const [judge, rows] of [...groups].sort(([a], [b]) => a - b)) await addShards(judge, rows);
  return plan;

  async function addFolds(): Promise<void> {
    const assigned = assignFolds(unjudgeable, config.scan.folds, config.seed, iteration);
    const earlierKey = context.previous?.sample.outputs.trainingSet;
    const earlier: ChunkRow[] = earlierKey === undefined ? [] : await pickedEarlier(earlierKey);
    // A chunk has tens of thousands of rows, all of them unjudgeable in a loop's first iteration.
    const unjudged = new Set(unjudgeable);
    const judged = chunk.filter((row) => !unjudged.has(row));
    for (let fold = 0; fold < config.scan.folds; fold++) {
      const held = unjudgeable.filter((_, index) => assigned[index] === fold);
      if (held.length === 0) continue;
      const vehicles = new Set(held.flatMap((row) => row.vehicleId ?? []));
      const clusters = new Set(held.map((row) => row.cluster));
      const rest = unjudgeable.filter((_, index) => assigned[index] !== fold);
      const trainingSet = [...rest, ...judged, ...earlier, ...(side?.companions ?? [])].filter(
        (row) => !clusters.has(row.cluster) && (row.vehicleId === null || !vehicles.has(row.vehicleId)),
      );
      const key = attempt.key(`fold-${fold}.parquet`);
      await writeTable(
        store,
        key,
        trainingSet.map((row) => chunkRowSchema.parse(row)),
        chunkRowSchema,
      );
      plan.folds.push({ fold, trainingSet: key, images: trainingSet.length });
      plan.judges.push({ kind: 'fold', fold });
      groups.set(plan.judges.length - 1, held);
    }
  }

  /** As the pool has them now: what was removed from it, or became test data, trains no judge. */
  async function pickedEarlier(key: string): Promise<ChunkRow[]> {
    const pool = await poolOf(deps, config.pool);
    return readTrainingRows(store, { pool, version: poolVersion }, key);
  }

  async function addShards(judge: number, rows: readonly ChunkRow[]): Promise<void> {
    for (let from = 0; from < rows.length; from += config.scan.shardSize) {
      const shard = plan.shards.length;
      const part = rows.slice(from, from + config.scan.shardSize);
      const key = attempt.key(`rows-${shard}.parquet`);
      await writeTable(store, key, part, chunkRowSchema);
      plan.shards.push({ shard, judge, rows: key, images: part.length });
    }
  }
}

/** The parts of the rest of the pool that the plan of a scan of another split needs. */
interface Side {
  /** Near duplicates over all sides of the split. */
  clusterOf: (imageId: string) => string | undefined;
  /** Training images that the folds learn from too: a split of its own is often too small to train on. */
  companions: ChunkRow[];
}

/** The drawn side of the split; only a scan outside a loop may draw another side than a loop. */
function splitOf({ facts }: DrawResult, judge: ScanJudge | undefined): SplitChoice {
  const split = splitChoiceSchema.parse(facts.split ?? 'train');
  if (split === 'train' || judge !== undefined) return split;
  throw new PartloopError('leak-detected', `a loop drew the ${split} images`);
}

async function sideOf(deps: ActivityDeps, pool: string, poolVersion: number, split: SplitChoice): Promise<Side> {
  const { readDrawColumns, readImages } = await poolOf(deps, pool);
  const index = await readDrawColumns(poolVersion);
  const groups = nearDuplicateGroups(index);
  const clusterOf = (imageId: string): string | undefined => {
    const row = index.ids.find(imageId);
    return row < 0 ? undefined : index.ids.at(groups[row] as number);
  };
  const isCompanion = (row: number): boolean =>
    split !== 'all' && splitAt(index, row) === 'train' && index.interior[row] === 0;
  const companions = await readImages(poolVersion, idsAt(index, rowsWhere(index, isCompanion)));
  return {
    clusterOf,
    companions: companions.map((row) => ({ ...row, cluster: clusterOf(row.imageId) ?? row.imageId })),
  };
}

/**
 * The images that a model has seen, with near duplicates on the other sides of the split: its list has only those among
 * the training images.
 */
function seenAs(candidate: JudgeCandidate, clusterOf: Side['clusterOf']): JudgeCandidate {
  const { seen } = candidate;
  if (seen === null) return candidate;
  const own = [...seen.images].flatMap((imageId) => clusterOf(imageId) ?? []);
  return { ...candidate, seen: { ...seen, clusters: new Set([...seen.clusters, ...own]) } };
}

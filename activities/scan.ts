import { MINOR_WEIGHT } from '../domain/config.js';
import type { ScanJudge } from '../domain/messages.js';
import { silencer } from '../domain/review/review.js';
import { answersOf, learnCorrection } from '../domain/scan/calibrate/plattScaling.js';
import { countFacts, NO_JUDGE, notJudged, SHARD_FAILED } from '../domain/scan/counts.js';
import { type ClassIouByName, type ReduceEntry, reduceScan as reduceEntries } from '../domain/scan/index.js';
import { type ScanPlan, scanPlanSchema } from '../domain/scan/plan.js';
import { type ScanResult, scanStep } from '../domain/scan/step.js';
import { scanWarnings } from '../domain/scan/warnings.js';
import { neededBy, outputOf } from '../domain/stepContract.js';
import type { IterationContext, StepResults } from '../domain/steps.js';
import { type ChunkRow, chunkRowSchema, findingRowSchema, scanImageRowSchema } from '../domain/tables.js';
import { tagsSchema } from '../domain/tags.js';
import type { ModelCard } from '../domain/train/modelCard.js';
import type { FoldResult } from '../domain/train/step.js';
import { scanShard } from '../inference/scan/judgeShard.js';
import { judgeOf } from '../inference/scan/judges.js';
import type { ScanSetup, ShardInput } from '../inference/scan/scanSetup.js';
import { readShard, type ShardEntry, shardKey } from '../inference/scan/shardObject.js';
import { trialWarnings, tryJudges } from '../inference/scan/tryJudges.js';
import type { ActivityDeps } from '../steps/deps.js';
import { withHeartbeat } from '../steps/heartbeat.js';
import { poolOf } from '../steps/pool.js';
import { runStep } from '../steps/runStep.js';
import { readJson } from '../storage/tables/json.js';
import { readTable, writeTable } from '../storage/tables/table.js';
import { reviewsFor } from './reviews.js';
import { type PlannedScan, planScan } from './scanPlan.js';

interface ReduceInput {
  context: IterationContext;
  results: StepResults;
  planKey: string;
  folds: FoldResult[];
  failedShards: number[];
}

/** Step scan: plan, shards, reduce. */
export function createScanActivities(deps: ActivityDeps) {
  const { store } = deps;
  return {
    planScan: ({
      context,
      results,
      judge,
    }: {
      context: IterationContext;
      results: StepResults;
      judge?: ScanJudge;
    }): Promise<PlannedScan> => withHeartbeat(() => planScan(deps, context, results, judge)),

    tryJudges: (asked: ScanSetup) => tryJudges(deps, asked),

    scanShard: (asked: ShardInput) => scanShard(deps, asked),

    /** All shards' candidates to findings: thresholds and calibration need the whole chunk. */
    async reduceScan({ context, results, planKey, folds, failedShards }: ReduceInput): Promise<ScanResult> {
      const { draw } = neededBy('scan', results, ['draw']);
      const plan = await readJson(store, planKey, scanPlanSchema);
      const judges = await Promise.all(plan.judges.map((_, judge) => judgeOf(store, plan, judge, folds)));
      const { sessions: _, maxShardsInFlight: __, ...settings } = context.config.scan;
      const { value: reviews, keep: keepReviews } = await reviewsFor(deps, context);
      const { minorWeight } = context.config.sample;
      const inputs = {
        planKey: plan.shards.map(({ rows }) => rows),
        models: judges.map(({ card }) => card.files.scan),
        settings,
        failedShards,
        // What is as it usually is stays out, so that scans from before it could be otherwise are found done.
        ...(minorWeight === MINOR_WEIGHT ? {} : { minorWeight }),
        ...(reviews.digest === null ? {} : { reviews: reviews.digest }),
      };
      return withHeartbeat(({ report }) =>
        runStep(store, context, scanStep, inputs, async (attempt) => {
          const chunk = await readTable(store, outputOf(draw, 'chunk'), chunkRowSchema);
          const { taxonomy } = await poolOf(deps, context.config.pool);
          const classIou: Record<string, ClassIouByName> = Object.fromEntries(
            judges.map(({ card }) => [card.files.scan, card.valClassIou]),
          );
          const entries = await readEntries(plan, planKey, judges, chunk, failedShards, (done, total) =>
            report({ phase: 'reading what was judged', done, total, unit: 'shards' }),
          );
          const { images, findings, summary } = reduceEntries(
            entries,
            taxonomy,
            { ...context.config.scan, minorWeight },
            classIou,
            silencer(reviews.verdicts),
            learnCorrection(answersOf(reviews.verdicts)),
          );
          const reviewsKey = reviews.digest === null ? null : attempt.key('reviews.json');
          const noted: Record<string, string> = reviewsKey === null ? {} : { reviews: reviewsKey };
          const outputs = {
            images: attempt.key('images.parquet'),
            findings: attempt.key('findings.parquet'),
            summary: attempt.key('summary.json'),
            ...noted,
            ...Object.fromEntries(
              folds.flatMap((fold, index) => [
                [`fold-${index}-scan`, outputOf(fold, 'scan')],
                [`fold-${index}-card`, outputOf(fold, 'card')],
              ]),
            ),
          };
          const warnings = [
            ...(await trialWarnings(store, planKey)),
            ...scanWarnings({
              images: images.filter((image) => notJudged(image) === null).length,
              cards: judges.map(({ card }) => card),
              minClassIou: context.config.scan.minClassIou,
              failedShards,
              folds,
            }),
          ];
          if (reviewsKey !== null)
            await attempt.store.put(reviewsKey, JSON.stringify(reviews.keys), 'application/json');
          await keepReviews();
          await writeTable(attempt.store, outputs.images, images, scanImageRowSchema);
          await writeTable(attempt.store, outputs.findings, findings, findingRowSchema);
          await attempt.store.put(
            outputs.summary,
            JSON.stringify({ ...summary, warnings }, null, 1),
            'application/json',
          );
          return {
            outputs,
            facts: {
              ...countFacts(draw.facts, images),
              overThreshold: summary.overThreshold,
              quarantined: summary.quarantined,
              findings: summary.findings,
              errors: summary.errors,
              folds: folds.length,
              prevalence: summary.prevalence,
              failedShards: failedShards.length,
              model: judges.map(({ card }) => card.files.scan.slice(0, 8)).join(' '),
            },
          };
        }),
      );
    },
  };

  /** Entries in the chunk's order, whatever the order in which shards were judged. */
  async function readEntries(
    plan: ScanPlan,
    planKey: string,
    judges: readonly { card: ModelCard }[],
    chunk: readonly ChunkRow[],
    failedShards: readonly number[],
    onProgress: (done: number, total: number) => void,
  ): Promise<ReduceEntry[]> {
    const found = new Map<string, ShardEntry>();
    for (const [index, { shard, judge }] of plan.shards.entries()) {
      onProgress(index, plan.shards.length);
      if (failedShards.includes(shard)) continue;
      const key = shardKey(planKey, shard, judges[judge]?.card.files.scan ?? '');
      for (const entry of await readShard(store, key)) found.set(entry.imageId, entry);
    }
    const unjudged = new Set(plan.unjudged);
    return chunk.map((row) => {
      const entry = found.get(row.imageId);
      const common = {
        imageId: row.imageId,
        fileName: row.fileName,
        labelSha256: row.labelSha256,
        tags: tagsSchema.parse(row),
        cluster: row.cluster,
      };
      if (entry !== undefined) return { ...common, analysis: entry.analysis, error: entry.error, model: entry.model };
      const error = unjudged.has(row.imageId) ? NO_JUDGE : SHARD_FAILED;
      return { ...common, analysis: null, error, model: 'none', unjudged: true };
    });
  }
}

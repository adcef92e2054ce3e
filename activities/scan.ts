import { PartloopError } from '../domain/errors.js';
import type { ScanJudge } from '../domain/messages.js';
import { type ClassIouByName, type ReduceEntry, reduceScan as reduceEntries } from '../domain/mislabel/index.js';
import { answersOf, learnCorrection } from '../domain/mislabel/verdictCorrection.js';
import { type ModelCard, modelCardSchema } from '../domain/modelCard.js';
import { silencer } from '../domain/review.js';
import { countFacts, NO_JUDGE, SHARD_FAILED } from '../domain/scan/counts.js';
import { type ScanPlan, scanPlanSchema } from '../domain/scanPlan.js';
import type { IterationContext, StepResult, StepResults } from '../domain/steps.js';
import { type ChunkRow, chunkRowSchema, findingRowSchema, scanImageRowSchema } from '../domain/tables.js';
import { tagsSchema } from '../domain/tags.js';
import { fetchModel } from '../inference/modelFile.js';
import { scanRows } from '../inference/scanPipeline.js';
import { openSessions } from '../inference/sessions.js';
import { digestOfTaxonomy } from '../storage/digest.js';
import { readJson } from '../storage/json.js';
import { readTable, writeTable } from '../storage/table.js';
import type { ActivityDeps } from './deps.js';
import { withHeartbeat } from './heartbeat.js';
import { poolOf } from './pool.js';
import { reviewsFor } from './reviews.js';
import { type PlannedScan, planScan } from './scanPlan.js';
import { readShard, type ShardEntry, ShardWriter, shardKey } from './scanShards.js';
import { runStep } from './step.js';

const VERSION = 5;
/** Images whose labels are also analysed with injected errors: enough for a calibration, however many are scanned. */
const INJECTED_IMAGES = 2_000;

interface ShardInput {
  context: IterationContext;
  planKey: string;
  folds: StepResult[];
  shard: number;
}
interface ReduceInput {
  context: IterationContext;
  results: StepResults;
  planKey: string;
  folds: StepResult[];
  failedShards: number[];
}

/** Step scan: plan, shards, reduce. */
export function createScanActivities(deps: ActivityDeps) {
  const { store, home } = deps;
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

    /** Judge the images of one shard; found done where its object is there. */
    async scanShard({ context, planKey, folds, shard }: ShardInput): Promise<void> {
      const plan = await readJson(store, planKey, scanPlanSchema);
      const entry = plan.shards.find((candidate) => candidate.shard === shard);
      if (entry === undefined) throw new PartloopError('input-invalid', `${planKey} has no shard ${shard}`);
      const { scanKey, card } = await judgeOf(plan, entry.judge, folds);
      const images = plan.shards.reduce((sum, { images }) => sum + images, 0);
      const key = shardKey(planKey, shard, card.files.scan);
      if ((await store.head(key)) !== null) return;

      await withHeartbeat(async (beat) => {
        const { sessions, threadsPerSession, provider } = context.config.scan;
        const modelPath = await fetchModel(store, scanKey, card.files.scan, home);
        const { taxonomy } = await poolOf(deps, context.config.pool);
        if (card.taxonomyDigest !== digestOfTaxonomy(taxonomy))
          throw new PartloopError(
            'model-invalid',
            `${scanKey} was trained for another taxonomy than pool \`${context.config.pool}\` has`,
          );
        const rows = await readTable(store, entry.rows, chunkRowSchema);
        const opened = await openSessions(sessions, {
          ...{ modelPath, name: scanKey, threads: threadsPerSession, provider, taxonomy },
        });
        try {
          const shardWriter = new ShardWriter();
          await scanRows({
            store,
            pool: context.config.pool,
            rows,
            sessions: opened,
            seed: context.config.seed,
            injectShare: INJECTED_IMAGES / Math.max(1, images),
            signal: beat.signal,
            onScanned: ({ row, analysis, error }, index) => {
              shardWriter.add({ imageId: row.imageId, analysis, error, model: card.files.scan }, index);
              beat.report({ done: shardWriter.count, total: rows.length });
            },
          });
          await shardWriter.write(store, key);
        } finally {
          await opened.close();
        }
      });
    },

    /** All shards' candidates to findings: thresholds and calibration need the whole chunk. */
    async reduceScan({ context, results, planKey, folds, failedShards }: ReduceInput): Promise<StepResult> {
      const plan = await readJson(store, planKey, scanPlanSchema);
      const judges = await Promise.all(plan.judges.map((_, judge) => judgeOf(plan, judge, folds)));
      const { sessions: _, maxShardsInFlight: __, ...settings } = context.config.scan;
      const reviews = await reviewsFor(deps, context);
      const inputs = {
        planKey: plan.shards.map(({ rows }) => rows),
        models: judges.map(({ card }) => card.files.scan),
        settings,
        failedShards,
        // Left out where there are none, so that scans from before the first review are found done.
        ...(reviews.digest === null ? {} : { reviews: reviews.digest }),
      };
      return withHeartbeat(() =>
        runStep(store, context, 'scan', VERSION, inputs, async (attempt) => {
          const chunk = await readTable(store, outputOf(results.draw, 'chunk'), chunkRowSchema);
          const { taxonomy } = await poolOf(deps, context.config.pool);
          const classIou: Record<string, ClassIouByName> = Object.fromEntries(
            judges.map(({ card }) => [card.files.scan, card.valClassIou]),
          );
          const entries = await readEntries(plan, planKey, judges, chunk, failedShards);
          const { images, findings, summary } = reduceEntries(
            entries,
            taxonomy,
            context.config.scan,
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
          const warnings = warningsOf(
            summary.kinds,
            judges.map(({ card }) => card),
            context.config.scan.minClassIou,
            failedShards,
          );
          if (reviewsKey !== null) await store.put(reviewsKey, JSON.stringify(reviews.keys), 'application/json');
          await writeTable(store, outputs.images, images, scanImageRowSchema);
          await writeTable(store, outputs.findings, findings, findingRowSchema);
          await store.put(outputs.summary, JSON.stringify({ ...summary, warnings }, null, 1), 'application/json');
          return {
            outputs,
            facts: {
              ...countFacts(results.draw?.facts ?? {}, images),
              flagged: summary.flagged,
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

  async function judgeOf(
    plan: ScanPlan,
    judge: number,
    folds: readonly StepResult[],
  ): Promise<{ scanKey: string; card: ModelCard }> {
    const chosen = plan.judges[judge];
    if (chosen === undefined) throw new PartloopError('data-invalid', `the plan has no judge ${judge}`);
    if (chosen.kind === 'model')
      return { scanKey: chosen.scanKey, card: await readJson(store, chosen.cardKey, modelCardSchema) };
    const trained = folds[plan.folds.findIndex(({ fold }) => fold === chosen.fold)];
    return {
      scanKey: outputOf(trained, 'scan'),
      card: await readJson(store, outputOf(trained, 'card'), modelCardSchema),
    };
  }

  /** Entries in the chunk's order, whatever the order in which shards were judged. */
  async function readEntries(
    plan: ScanPlan,
    planKey: string,
    judges: readonly { card: ModelCard }[],
    chunk: readonly ChunkRow[],
    failedShards: readonly number[],
  ): Promise<ReduceEntry[]> {
    const found = new Map<string, ShardEntry>();
    for (const { shard, judge } of plan.shards) {
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

function outputOf(result: StepResult | undefined, name: string): string {
  const key = result?.outputs[name];
  if (key === undefined)
    throw new PartloopError('data-invalid', `step ${result?.step ?? '(missing)'} has no output \`${name}\``);
  return key;
}

/** What a person should know: rules whose yield is zero, classes that no model may judge, shards that failed. */
function warningsOf(
  kinds: Record<string, number>,
  cards: readonly ModelCard[],
  minClassIou: number,
  failedShards: readonly number[],
): string[] {
  const silent = Object.entries(kinds)
    .filter(([, count]) => count === 0)
    .map(([kind]) => kind);
  const weak = [
    ...new Set(
      cards.flatMap(({ valClassIou }) =>
        Object.entries(valClassIou)
          .filter(([, iou]) => iou !== null && iou < minClassIou)
          .map(([name]) => name),
      ),
    ),
  ].sort();
  return [
    ...(silent.length === 0 ? [] : [`no finding of kind ${silent.join(', ')}`]),
    ...(weak.length === 0
      ? []
      : [`classes with a validation IoU below ${minClassIou} yield no model-based finding: ${weak.join(', ')}`]),
    ...(failedShards.length === 0 ? [] : [`shards that failed and are not judged: ${failedShards.join(', ')}`]),
  ];
}

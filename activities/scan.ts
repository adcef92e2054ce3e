import { MINOR_WEIGHT } from '../domain/config.js';
import type { DrawResult } from '../domain/draw/step.js';
import type { ScanJudge } from '../domain/messages.js';
import { silencer } from '../domain/review/review.js';
import { answersOf, learnCorrection } from '../domain/scan/calibrate/statistics/plattScaling.js';
import { countFacts, notJudged } from '../domain/scan/counts.js';
import { type ClassIouByName, reduceScan as reduceEntries, type ScanReduction } from '../domain/scan/index.js';
import { scanPlanSchema } from '../domain/scan/judge/plan.js';
import { type ScanResult, scanStep } from '../domain/scan/step.js';
import { scanWarnings } from '../domain/scan/warnings.js';
import { neededBy, outputOf, type WorkOf } from '../domain/stepContract.js';
import type { IterationContext, StepInput } from '../domain/steps.js';
import { chunkRowSchema, findingRowSchema, scanImageRowSchema } from '../domain/tables.js';
import type { FoldResult } from '../domain/train/step.js';
import { scanShard } from '../inference/scan/judgeShard.js';
import { judgeOf } from '../inference/scan/judges.js';
import { type JudgedScan, readEntries } from '../inference/scan/reduceEntries.js';
import type { ScanSetup, ShardInput } from '../inference/scan/scanSetup.js';
import { trialWarnings, tryJudges } from '../inference/scan/tryJudges.js';
import { drawQuestions } from '../pool/review/propagate/unattended.js';
import type { ActivityDeps } from '../steps/deps.js';
import { type Heartbeat, withHeartbeat } from '../steps/heartbeat.js';
import { poolOf } from '../steps/pool.js';
import { reviewsFor } from '../steps/reviews.js';
import { type Attempt, runStep } from '../steps/runStep.js';
import type { ObjectStore } from '../storage/objects/objectStore.js';
import type { Reviews } from '../storage/reviews.js';
import { readJson, writeJson } from '../storage/tables/json.js';
import { readTable, writeTable } from '../storage/tables/table.js';
import { type PlannedScan, planScan } from './scanPlan.js';

interface PlanInput extends StepInput {
  judge?: ScanJudge;
}

interface ReduceInput extends StepInput {
  planKey: string;
  folds: FoldResult[];
  failedShards: number[];
  /** Given by a scan that belongs to no loop. */
  isAlone?: boolean;
}

/** Step scan: plan, shards, reduce. */
export function createScanActivities(deps: ActivityDeps) {
  return {
    planScan: ({ context, results, judge }: PlanInput): Promise<PlannedScan> =>
      withHeartbeat(() => planScan(deps, context, results, judge)),
    tryJudges: (asked: ScanSetup) => tryJudges(deps, asked),
    scanShard: (asked: ShardInput) => scanShard(deps, asked),
    reduceScan: (input: ReduceInput) => reduceScan(deps, input),
  };
}

/** From all shards' candidates to findings: thresholds and calibration need the whole chunk. */
async function reduceScan(deps: ActivityDeps, input: ReduceInput): Promise<ScanResult> {
  const { store } = deps;
  const { context, results, planKey, folds, failedShards, isAlone = false } = input;
  const { draw } = neededBy('scan', results, ['draw']);
  const plan = await readJson(store, planKey, scanPlanSchema);
  const judges = await Promise.all(plan.judges.map((_, judge) => judgeOf(store, plan, judge, folds)));
  const models = judges.map(({ card }) => card.files.scan);
  const { sessions: _, maxShardsInFlight: __, ...own } = context.config.scan;
  // What becomes of findings later changes none of them.
  const { autoCorrect: ___, autoCorrectAlpha: ____, autoCorrectAnswers: _____, ...settings } = own;
  const { value: reviews, keep: keepReviews } = await reviewsFor(deps, context);
  const { minorWeight } = context.config.sample;
  const inputs = {
    planKey: plan.shards.map(({ rows }) => rows),
    models,
    settings,
    failedShards,
    // Usual values are omitted, so that scans from before these inputs existed are found done.
    ...(minorWeight === MINOR_WEIGHT ? {} : { minorWeight }),
    ...(reviews.digest === null ? {} : { reviews: reviews.digest }),
  };
  const judged = { plan, planKey, judges, failedShards };
  return withHeartbeat(async (beat) => {
    const result = await runStep(store, context, scanStep, inputs, async (attempt) => {
      const reduction = await reduceJudged(deps, context, draw, judged, reviews, beat);
      const warnings = await warningsOf(store, context, judged, folds, reduction);
      const outputs = outputsOf(attempt, reviews, folds);
      if (outputs.reviews !== undefined)
        await attempt.store.put(outputs.reviews, JSON.stringify(reviews.keys), 'application/json');
      await keepReviews();
      await writeTable(attempt.store, outputs.images, reduction.images, scanImageRowSchema);
      await writeTable(attempt.store, outputs.findings, reduction.findings, findingRowSchema);
      await writeJson(attempt.store, outputs.summary, { ...reduction.summary, warnings });
      const { overThreshold, quarantined, findings, errors, prevalence } = reduction.summary;
      return {
        outputs,
        facts: {
          ...countFacts(draw.facts, reduction.images),
          ...{ overThreshold, quarantined, findings, errors },
          folds: folds.length,
          prevalence,
          failedShards: failedShards.length,
          model: models.map((model) => model.slice(0, 8)).join(' '),
        },
      };
    });
    const asked = await drawQuestions(store, context, {
      findings: outputOf(result, 'findings'),
      isAlone,
      now: new Date(),
    });
    return asked === null ? result : { ...result, facts: { ...result.facts, ...asked } };
  });
}

async function reduceJudged(
  deps: ActivityDeps,
  { config }: IterationContext,
  draw: DrawResult,
  judged: JudgedScan,
  { verdicts }: Reviews,
  { report }: Heartbeat,
): Promise<ScanReduction> {
  const chunk = await readTable(deps.store, outputOf(draw, 'chunk'), chunkRowSchema);
  const { taxonomy } = await poolOf(deps, config.pool);
  const classIou: Record<string, ClassIouByName> = Object.fromEntries(
    judged.judges.map(({ card }) => [card.files.scan, card.valClassIou]),
  );
  const entries = await readEntries(deps.store, judged, chunk, (done, total) =>
    report({ phase: 'reading what was judged', done, total, unit: 'shards' }),
  );
  const { minorWeight } = config.sample;
  return reduceEntries(
    entries,
    taxonomy,
    { ...config.scan, minorWeight },
    classIou,
    silencer(verdicts),
    learnCorrection(answersOf(verdicts)),
  );
}

async function warningsOf(
  store: ObjectStore,
  { config }: IterationContext,
  { planKey, judges, failedShards }: JudgedScan,
  folds: readonly FoldResult[],
  { images }: ScanReduction,
): Promise<string[]> {
  const scan = {
    images: images.filter((image) => notJudged(image) === null).length,
    cards: judges.map(({ card }) => card),
    minClassIou: config.scan.minClassIou,
    failedShards,
    folds,
  };
  return [...(await trialWarnings(store, planKey)), ...scanWarnings(scan)];
}

function outputsOf(
  { key }: Attempt,
  { digest }: Reviews,
  folds: readonly FoldResult[],
): WorkOf<typeof scanStep>['outputs'] {
  const models = folds.flatMap((fold, index): [string, string][] => [
    [`fold-${index}-scan`, outputOf(fold, 'scan')],
    [`fold-${index}-card`, outputOf(fold, 'card')],
  ]);
  return {
    images: key('images.parquet'),
    findings: key('findings.parquet'),
    summary: key('summary.json'),
    ...(digest === null ? {} : { reviews: key('reviews.json') }),
    ...Object.fromEntries(models),
  };
}

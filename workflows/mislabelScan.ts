import {
  continueAsNew,
  defineQuery,
  isCancellation,
  patched,
  setCurrentDetails,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import type { z } from 'zod';
import { standaloneScanId } from '../domain/base/ids.js';
import {
  parseRecorded,
  parseRequest,
  type ScanInput,
  type ScanRequest,
  scanInputSchema,
  scanRequestSchema,
} from '../domain/messages.js';
import type { ScanProgress } from '../domain/scan/progress.js';
import type { ScanResult } from '../domain/scan/step.js';
import type { FoldResult } from '../domain/train/step.js';
import { QUERIES } from '../domain/workflowNames.js';
import { bookkeeping, light, scanning, training } from './activities.js';
import { isFaultOfData, orFail, rootMessage } from './failures.js';
import { showAttributes } from './searchAttributes.js';

/** Shards of one run: keeps a run's history below 2,000 events. */
const SHARDS_PER_RUN = 250;
/** Histories from before judges were tried replay without it. */
const JUDGES_ARE_TRIED = 'judges-are-tried';
/** Histories from before failed shards were tried again. */
const FAILED_SHARDS_AGAIN = 'failed-shards-again';
/** Before failed shards are tried again: credentials that expired and buckets that refuse are often mended in minutes. */
const WAITS = ['1 minute', '5 minutes', '15 minutes'] as const;

export const scanProgressQuery = defineQuery<ScanProgress>(QUERIES.progress);

/**
 * algo1 over a chunk: decide which model may judge which image, train the models of cross-validation where none may, try each
 * on a few pictures, judge shard by shard with a bounded number in flight, then reduce all candidates to findings at once.
 *
 * Concurrency: `maxShardsInFlight` lanes take the next index each; a lane whose shard keeps failing notes it and goes on. Those
 * that failed are tried again at the end, or as soon as too many failed for the scan to succeed without them.
 * After 250 shards the run continues as new with the next index alone.
 */
export async function mislabelScan(input: unknown = {}): Promise<ScanResult> {
  const progress: ScanProgress = {
    stage: 'preparing',
    folds: { done: 0, total: 0 },
    shards: { done: 0, total: 0 },
  };
  setHandler(scanProgressQuery, () => progress, { description: 'How far the scan is' });
  const { context, draw, judge, resume } = isOfLoop(input)
    ? orFail(() => parseRecorded(scanInputSchema, input, '`mislabelScan`'))
    : await prepare(orFail(() => parseRequest(scanRequestSchema, input, '`mislabelScan`')));
  const { scan: settings, durability } = context.config;
  const { tryJudges, scanShard, reduceScan } = scanning(durability);
  const { trainFold } = training(durability);
  showAttributes({ loop: context.loop, iteration: context.iteration, step: 'scan' });

  const plan = resume ?? (await planAndTrainFolds());
  /** Shards that failed, with why where this run saw it. */
  const failed = new Map<number, unknown>(plan.failed.map((shard) => [shard, null]));
  progress.stage = 'judging';
  progress.folds = { done: plan.folds.length, total: plan.folds.length };
  progress.shards = { done: plan.next - failed.size, total: plan.shards };
  const { setupKey } = plan;
  const asked = (shard: number): Parameters<typeof scanShard>[0] =>
    setupKey === undefined ? { context, planKey: plan.planKey, folds: plan.folds, shard } : { setupKey, shard };
  let next = plan.next;
  let again: number[] = [];
  /** So many failed that judging the rest is pointless before it is known what became of these. */
  let isHalted = false;
  const end = Math.min(plan.shards, next + SHARDS_PER_RUN);
  await judgeShards();
  const isLast = end === plan.shards;
  for (let round = 0; round < WAITS.length && failed.size > 0 && (isLast || isHalted); round++) {
    if (!patched(FAILED_SHARDS_AGAIN)) break;
    const worth = [...failed].flatMap(([shard, error]) => (round === 0 || !isFaultOfData(error) ? [shard] : []));
    // What a round that was broken off did not come to is still to do.
    again = [...again, ...worth];
    if (again.length === 0) break;
    const wait = WAITS[round] ?? '1 minute';
    setCurrentDetails(
      `${failed.size} of ${plan.shards} shards failed and are tried again in ${wait}: ${lastFailure()}`,
    );
    await sleep(wait);
    for (const shard of worth) failed.delete(shard);
    isHalted = false;
    await judgeShards();
  }
  if (isHalted) throw [...failed.values()].findLast((error) => error !== null);
  if (end < plan.shards) {
    return continueAsNew<typeof mislabelScan>({
      context,
      draw,
      ...(judge === undefined ? {} : { judge }),
      resume: { ...plan, next: end, failed: [...failed.keys()] },
    } satisfies ScanInput);
  }
  progress.stage = 'summing up';
  const result = await reduceScan({
    context,
    results: { draw },
    planKey: plan.planKey,
    folds: plan.folds,
    failedShards: [...failed.keys()].sort((a, b) => a - b),
  });
  if (judge !== undefined) await bookkeeping.recordScan({ context, draw, result });
  return result;

  async function judgeShards(): Promise<void> {
    const lanes = Math.min(settings.maxShardsInFlight, Math.max(1, again.length + end - next));
    await Promise.all(Array.from({ length: lanes }, lane));
  }

  async function lane(): Promise<void> {
    for (let shard = take(); shard !== null; shard = take()) {
      try {
        await scanShard(asked(shard));
        progress.shards.done += 1;
      } catch (error) {
        if (isCancellation(error)) throw error;
        failed.set(shard, error);
        setCurrentDetails(`Shard ${shard} failed: ${rootMessage(error)}`);
        const success = 1 - failed.size / plan.shards;
        if (success < settings.minShardSuccess) {
          if (isFaultOfData(error) || !patched(FAILED_SHARDS_AGAIN)) throw error;
          isHalted = true;
        }
      }
      setCurrentDetails(
        `${next} of ${plan.shards} shards taken, ${failed.size} failed, ${plan.folds.length} folds trained`,
      );
    }
  }

  function take(): number | null {
    if (isHalted) return null;
    return again.shift() ?? (next < end ? next++ : null);
  }

  function lastFailure(): string {
    const error = [...failed.values()].findLast((each) => each !== null);
    return error === undefined ? 'see the failed activities' : rootMessage(error);
  }

  async function planAndTrainFolds(): Promise<ScanResume> {
    const { planKey, shards, folds } = await light.planScan({
      context,
      results: { draw },
      ...(judge === undefined ? {} : { judge }),
    });
    const trained: FoldResult[] = [];
    progress.folds.total = folds.length;
    progress.shards.total = shards;
    if (folds.length > 0) progress.stage = 'training folds';
    for (const fold of folds) {
      setCurrentDetails(`Training fold ${fold + 1} of ${folds.length}: no model may judge its images`);
      trained.push(await trainFold({ context, planKey, fold }));
      progress.folds.done += 1;
    }
    const start: ScanResume = { planKey, shards, folds: trained, next: 0, failed: [] };
    if (patched(JUDGES_ARE_TRIED)) {
      progress.stage = 'trying models';
      setCurrentDetails('Trying the models that judge on a few pictures');
      const { setupKey } = await tryJudges({ context, planKey, folds: trained });
      // A worker of before answers without it.
      if (setupKey !== undefined) return { ...start, setupKey };
    }
    return start;
  }
}

/** Where a run goes on. */
type ScanResume = NonNullable<z.output<typeof scanInputSchema>['resume']>;

const isOfLoop = (input: unknown): boolean => typeof input === 'object' && input !== null && 'context' in input;

/** A scan that a person started: all images of one side of a pool's split, drawn as one chunk of a loop of its own. */
async function prepare(request: ScanRequest) {
  const { workflowId, firstExecutionRunId } = workflowInfo();
  const scan = standaloneScanId(workflowId, firstExecutionRunId);
  const { context, judge } = await bookkeeping.prepareScan({ request, scan });
  setCurrentDetails(`Scan **${context.loop}** of pool **${context.config.pool}**, judged by ${judge.kind}`);
  const draw = await light.draw({ context, results: {}, split: request.split, isAlone: true });
  return { context, judge, draw, resume: null };
}

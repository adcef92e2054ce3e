import {
  continueAsNew,
  defineQuery,
  isCancellation,
  patched,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { standaloneScanId } from '../domain/ids.js';
import {
  parseRecorded,
  parseRequest,
  type ScanInput,
  type ScanRequest,
  scanInputSchema,
  scanRequestSchema,
} from '../domain/messages.js';
import type { ScanProgress } from '../domain/scan/progress.js';
import type { StepResult } from '../domain/steps.js';
import { bookkeeping, light, scanning, training } from './activities.js';
import { orFail, rootMessage } from './failures.js';
import { showAttributes } from './searchAttributes.js';

/** Shards of one run: keeps a run's history below 2,000 events. */
const SHARDS_PER_RUN = 250;
/** Histories from before judges were tried replay without it. */
const JUDGES_ARE_TRIED = 'judges-are-tried';

export const scanProgressQuery = defineQuery<ScanProgress>('progress');

/**
 * algo1 over a chunk: decide which model may judge which image, train the models of cross-validation where none may, try each
 * on a few pictures, judge shard by shard with a bounded number in flight, then reduce all candidates to findings at once.
 *
 * Concurrency: `maxShardsInFlight` lanes take the next index each; a lane whose shard keeps failing notes it and goes on.
 * After 250 shards the run continues as new with the next index alone.
 */
export async function mislabelScan(input: unknown = {}): Promise<StepResult> {
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
  const failed = [...plan.failed];
  progress.stage = 'judging';
  progress.folds = { done: plan.folds.length, total: plan.folds.length };
  progress.shards = { done: plan.next - failed.length, total: plan.shards };
  let next = plan.next;
  const end = Math.min(plan.shards, next + SHARDS_PER_RUN);
  const lane = async (): Promise<void> => {
    while (next < end) {
      const shard = next++;
      try {
        await scanShard({ context, planKey: plan.planKey, folds: plan.folds, shard });
        progress.shards.done += 1;
      } catch (error) {
        if (isCancellation(error)) throw error;
        failed.push(shard);
        setCurrentDetails(`Shard ${shard} failed: ${rootMessage(error)}`);
        const success = 1 - failed.length / plan.shards;
        if (success < settings.minShardSuccess) throw error;
      }
      setCurrentDetails(
        `${next} of ${plan.shards} shards taken, ${failed.length} failed, ${plan.folds.length} folds trained`,
      );
    }
  };
  await Promise.all(Array.from({ length: Math.min(settings.maxShardsInFlight, Math.max(1, end - next)) }, lane));
  if (end < plan.shards) {
    return continueAsNew<typeof mislabelScan>({
      context,
      draw,
      ...(judge === undefined ? {} : { judge }),
      resume: { ...plan, next: end, failed },
    } satisfies ScanInput);
  }
  progress.stage = 'summing up';
  const result = await reduceScan({
    context,
    results: { draw },
    planKey: plan.planKey,
    folds: plan.folds,
    failedShards: failed,
  });
  if (judge !== undefined) await bookkeeping.recordScan({ context, draw, result });
  return result;

  async function planAndTrainFolds() {
    const { planKey, shards, folds } = await light.planScan({
      context,
      results: { draw },
      ...(judge === undefined ? {} : { judge }),
    });
    const trained: StepResult[] = [];
    progress.folds.total = folds.length;
    progress.shards.total = shards;
    if (folds.length > 0) progress.stage = 'training folds';
    for (const fold of folds) {
      setCurrentDetails(`Training fold ${fold + 1} of ${folds.length}: no model may judge its images`);
      trained.push(await trainFold({ context, planKey, fold }));
      progress.folds.done += 1;
    }
    if (patched(JUDGES_ARE_TRIED)) {
      progress.stage = 'trying models';
      setCurrentDetails('Trying the models that judge on a few pictures');
      await tryJudges({ context, planKey, folds: trained });
    }
    return { planKey, shards, folds: trained, next: 0, failed: [] };
  }
}

const isOfLoop = (input: unknown): boolean => typeof input === 'object' && input !== null && 'context' in input;

/** A scan that a person started: all images of one side of a pool's split, drawn as one chunk of a loop of its own. */
async function prepare(request: ScanRequest) {
  const { workflowId, firstExecutionRunId } = workflowInfo();
  const scan = standaloneScanId(workflowId, firstExecutionRunId);
  const { context, judge } = await bookkeeping.prepareScan({ request, scan });
  setCurrentDetails(`Scan **${scan}** of pool **${context.config.pool}**, judged by ${judge.kind}`);
  const draw = await light.draw({ context, results: {}, split: request.split });
  return { context, judge, draw, resume: null };
}

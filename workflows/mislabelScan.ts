import { continueAsNew, defineQuery, patched, setCurrentDetails, setHandler, workflowInfo } from '@temporalio/workflow';
import type { z } from 'zod';
import { standaloneScanId } from '../domain/base/ids.js';
import { type ScanInput, type ScanRequest, scanInputSchema, scanRequestSchema } from '../domain/messages.js';
import type { ScanProgress } from '../domain/scan/progress.js';
import type { ScanResult } from '../domain/scan/step.js';
import { parseRecorded, parseRequest } from '../domain/settings/parse.js';
import { factsText } from '../domain/shownFacts.js';
import type { FoldResult } from '../domain/train/step.js';
import { QUERIES } from '../domain/workflowNames.js';
import { bookkeeping, light, scanning, training } from './activities.js';
import { orFail, plainly } from './failures.js';
import { ShardLanes } from './scan/shardLanes.js';
import { showAttributes } from './searchAttributes.js';

/** Histories from before judges were tried replay without this patch. */
const JUDGES_ARE_TRIED = 'judges-are-tried';

export const scanProgressQuery = defineQuery<ScanProgress>(QUERIES.progress);

/**
 * The scan of a chunk: decide which model may judge which image, train models of cross-validation for images without a
 * judge, try each model on a few pictures, judge shard by shard with a bounded number in flight, then reduce all
 * candidates to findings at once. After 250 shards the run continues as new with only the next index.
 */
export async function mislabelScan(input: unknown = {}): Promise<ScanResult> {
  const progress: ScanProgress = {
    stage: 'preparing',
    folds: { done: 0, total: 0 },
    shards: { done: 0, total: 0 },
  };
  setHandler(scanProgressQuery, () => progress, {
    description: 'The stage of the scan, the folds trained and the shards judged',
  });
  const asked = isOfLoop(input)
    ? orFail(() => parseRecorded(scanInputSchema, input, '`mislabelScan`'))
    : await plainly(prepare(orFail(() => parseRequest(scanRequestSchema, input, '`mislabelScan`'))));
  const { context, draw, judge, resume } = asked;
  showAttributes({ loop: context.loop, iteration: context.iteration, step: 'scan' });

  const plan = resume ?? (await planAndTrainFolds(asked, progress));
  progress.stage = 'judging';
  progress.folds = { done: plan.folds.length, total: plan.folds.length };
  setCurrentDetails(`Judging ${plan.shards} shards; the query \`${QUERIES.progress}\` counts those that are done`);
  const { scanShard, reduceScan } = scanning(context.config.durability);
  const { planKey, folds, setupKey } = plan;
  const lanes = new ShardLanes(plan, context.config.scan, progress, (shard) =>
    scanShard(setupKey === undefined ? { context, planKey, folds, shard } : { setupKey, shard }),
  );
  await lanes.run();
  const next = lanes.nextRun;
  if (next !== null) {
    return continueAsNew<typeof mislabelScan>({
      context,
      draw,
      ...(judge === undefined ? {} : { judge }),
      resume: { ...plan, next, failed: lanes.failed },
    } satisfies ScanInput);
  }
  progress.stage = 'summing up';
  const failedShards = lanes.failed.sort((a, b) => a - b);
  const result = await reduceScan({
    ...{ context, results: { draw }, planKey, folds, failedShards },
    ...(judge === undefined ? {} : { isAlone: true }),
  });
  if (judge !== undefined) await bookkeeping.recordScan({ context, draw, result });
  setCurrentDetails(scanDetails(context.loop, result, judge !== undefined));
  return result;
}

type AskedScan = Pick<z.output<typeof scanInputSchema>, 'context' | 'draw' | 'judge'>;

/** The place at which a run continues. */
type ScanResume = NonNullable<z.output<typeof scanInputSchema>['resume']>;

/** The judge of each image, and the models of cross-validation for images without one. */
async function planAndTrainFolds({ context, draw, judge }: AskedScan, progress: ScanProgress): Promise<ScanResume> {
  const { planKey, shards, folds } = await light.planScan({
    context,
    results: { draw },
    ...(judge === undefined ? {} : { judge }),
  });
  const { trainFold } = training(context.config.durability);
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
  if (!patched(JUDGES_ARE_TRIED)) return start;
  progress.stage = 'trying models';
  setCurrentDetails('Trying the models that judge on a few pictures');
  const { tryJudges } = scanning(context.config.durability);
  const { setupKey } = await tryJudges({ context, planKey, folds: trained });
  // An older worker answers without it.
  return setupKey === undefined ? start : { ...start, setupKey };
}

/** What the scan found, and where its findings are. */
const scanDetails = (scan: string, result: ScanResult, isAlone: boolean): string =>
  [factsText('scan', result), ...(isAlone ? [`\`partloop scan show ${scan}\` shows the findings.`] : [])].join('\n\n');

const isOfLoop = (input: unknown): boolean => typeof input === 'object' && input !== null && 'context' in input;

/**
 * A scan that a person started: all images of one side of a pool's split, drawn as the only chunk of a separate loop.
 */
async function prepare(request: ScanRequest) {
  const { workflowId, firstExecutionRunId } = workflowInfo();
  const scan = standaloneScanId(workflowId, firstExecutionRunId);
  const { context, judge } = await bookkeeping.prepareScan({ request, scan });
  setCurrentDetails(`Scan **${context.loop}** of pool **${context.config.pool}**, judged by ${judge.kind}`);
  const draw = await light.draw({ context, results: {}, split: request.split, isAlone: true });
  return { context, judge, draw, resume: null };
}

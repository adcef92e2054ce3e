import { iterationWorkflowId, scanWorkflowId } from '../../../domain/base/ids.js';
import type { LoopState } from '../../../domain/loop/state.js';
import { STEPS } from '../../../domain/steps.js';
import { WORKFLOWS } from '../../../domain/workflowNames.js';
import type { Run } from './histories.js';

/** Parts of a scan, by the activity that does them. */
const SCAN_PARTS = {
  plan: 'planScan',
  folds: 'trainFold',
  trial: 'tryJudges',
  shards: 'scanShard',
  reduce: 'reduceScan',
};

/** Seconds of an iteration. */
export interface IterationCost {
  iteration: number;
  drawn: number;
  trainingSet: number;
  /** Seconds by step. */
  steps: Record<string, number>;
  /** Seconds by part of the step scan. */
  scan: Record<string, number>;
  /** From the end of the iteration before, or from the loop's start, to its end. */
  seconds: number;
  /** Processor time of the whole stack meanwhile. */
  coreSeconds: number;
}

/** What each finished iteration cost, by the record of the loop and by the histories. */
export function iterationCosts(
  { loop, iterations }: LoopState,
  runs: readonly Run[],
  coreSecondsOf: (from: number, to: number) => number,
): IterationCost[] {
  let before = Math.min(...runs.filter(({ type }) => type === WORKFLOWS.startLoop).map((run) => run.startedAt));
  return iterations.flatMap(({ iteration, current: { status, results } }) => {
    if (status !== 'finished') return [];
    const workflowId = iterationWorkflowId(loop, iteration);
    const own = runs.filter((run) => run.workflowId === workflowId);
    const scans = runs.filter((run) => run.workflowId === scanWorkflowId(workflowId));
    const endedAt = Math.max(...own.map((run) => run.endedAt));
    const time = { seconds: (endedAt - before) / 1_000, coreSeconds: coreSecondsOf(before, endedAt) };
    before = endedAt;
    const stepSeconds = STEPS.map((step): [string, number | undefined] => [step, results[step]?.seconds]);
    return {
      iteration,
      drawn: results.draw?.facts.drawn ?? 0,
      trainingSet: results.sample?.facts.trainingSet ?? 0,
      steps: Object.fromEntries(stepSeconds.flatMap(([step, took]) => (took === undefined ? [] : [[step, took]]))),
      scan: Object.fromEntries(Object.entries(SCAN_PARTS).map(([part, name]) => [part, secondsOf(scans, name)])),
      ...time,
    };
  });
}

/** From the first request for an activity to the end of the last one, in the runs of one workflow. */
function secondsOf(runs: readonly Run[], activity: string): number {
  const spans = runs.flatMap(({ activities }) => activities[activity] ?? []);
  if (spans.length === 0) return 0;
  return (Math.max(...spans.map(({ to }) => to)) - Math.min(...spans.map(({ from }) => from))) / 1_000;
}

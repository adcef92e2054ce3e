import type { Client } from '@temporalio/client';
import type { LoopStatus } from '../../domain/messages.js';
import { STEPS, type Step, type StepResults } from '../../domain/steps.js';
import { activityProgress, workflowsOfIteration } from '../../steering/activityProgress.js';
import { waitForLoop } from '../../steering/waitForLoop.js';
import { withProgress } from '../terminal/progress.js';

/**
 * Wait for a loop with a progress bar on stderr; in a log it prints one line per change. `signal` ends only the wait.
 */
export async function watchLoop(client: Client, loop: string, signal?: AbortSignal): Promise<LoopStatus> {
  return withProgress(`loop ${loop}`, async (line) => {
    let shown = '';
    const show = async (status: LoopStatus, step: Step | null, results: StepResults): Promise<void> => {
      const text = await progressText(client, status, step, results);
      if (text === shown) return;
      shown = text;
      line.detail(text);
    };
    const last = await waitForLoop(client, loop, (status, step, results) => void show(status, step, results), signal);
    line.title(`loop ${loop}: ${last.phase}`);
    return last;
  });
}

async function progressText(
  client: Client,
  status: LoopStatus,
  step: Step | null,
  results: StepResults,
): Promise<string> {
  if (status.iteration === null) return status.phase;
  const place = step === null ? 0 : STEPS.indexOf(step);
  const bar = STEPS.map((name, index) =>
    results[name] !== undefined || index < place ? '■' : index === place && step !== null ? '▣' : '□',
  ).join('');
  const detail = step === null ? '' : await iterationActivity(client, status.loop, status.iteration);
  return `iteration ${status.iteration} ${bar} ${step ?? status.phase}${detail}`;
}

async function iterationActivity(client: Client, loop: string, iteration: number): Promise<string> {
  const progress = await activityProgress(client, workflowsOfIteration(loop, iteration));
  return progress === '' ? '' : `: ${progress}`;
}

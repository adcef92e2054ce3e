import type { Client } from '@temporalio/client';
import { Listr } from 'listr2';
import { iterationWorkflowId, scanWorkflowId } from '../domain/ids.js';
import type { LoopStatus } from '../domain/messages.js';
import { STEPS, type Step, type StepResults } from '../domain/steps.js';
import { activityProgress } from './activityProgress.js';
import { waitForLoop } from './loopClient.js';
import { stderrLogger } from './progress.js';

/** Wait for a loop with a progress bar on stderr; in a pipe it prints one line a change. */
export async function watchLoop(client: Client, loop: string, signal: AbortSignal): Promise<LoopStatus> {
  let last: LoopStatus | undefined;
  const logger = stderrLogger();
  const tasks = new Listr(
    [
      {
        title: `loop ${loop}`,
        task: async (_, task) => {
          last = await waitForLoop(
            client,
            loop,
            (status, step, results) => void show(client, task, status, step, results),
            signal,
          );
          task.title = `loop ${loop}: ${last.phase}`;
        },
      },
    ],
    {
      registerSignalListeners: false,
      fallbackRenderer: 'simple',
      rendererOptions: { logger },
      fallbackRendererOptions: { logger },
    },
  );
  await tasks.run();
  if (last === undefined) throw new Error('the wait ended without a status');
  return last;
}

let shown = '';

async function show(
  client: Client,
  task: { output: string },
  status: LoopStatus,
  step: Step | null,
  results: StepResults,
): Promise<void> {
  const place = step === null ? 0 : STEPS.indexOf(step);
  const bar = STEPS.map((name, index) =>
    results[name] !== undefined || index < place ? '■' : index === place && step !== null ? '▣' : '□',
  ).join('');
  const detail =
    status.iteration === null || step === null ? '' : await iterationActivity(client, status.loop, status.iteration);
  const text =
    status.iteration === null ? status.phase : `iteration ${status.iteration} ${bar} ${step ?? status.phase}${detail}`;
  if (text === shown) return;
  shown = text;
  task.output = text;
}

async function iterationActivity(client: Client, loop: string, iteration: number): Promise<string> {
  const workflowId = iterationWorkflowId(loop, iteration);
  const progress = await activityProgress(client, [scanWorkflowId(workflowId), workflowId]);
  return progress === '' ? '' : ` ${progress}`;
}

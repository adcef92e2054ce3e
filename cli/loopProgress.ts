import type { Client } from '@temporalio/client';
import { Listr } from 'listr2';
import { z } from 'zod';
import { iterationWorkflowId, scanWorkflowId } from '../domain/ids.js';
import type { LoopStatus } from '../domain/messages.js';
import { STEPS, type Step, type StepResults } from '../domain/steps.js';
import { waitForLoop } from './loopClient.js';
import { stderrLogger } from './progress.js';

const heartbeatSchema = z.looseObject({
  iteration: z.number().optional(),
  iterations: z.number().optional(),
  loss: z.number().nullish(),
  etaSeconds: z.number().nullish(),
  done: z.number().optional(),
  total: z.number().optional(),
});

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
    { fallbackRenderer: 'simple', rendererOptions: { logger }, fallbackRendererOptions: { logger } },
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
    status.iteration === null || step === null ? '' : await trainingProgress(client, status.loop, status.iteration);
  const text =
    status.iteration === null ? status.phase : `iteration ${status.iteration} ${bar} ${step ?? status.phase}${detail}`;
  if (text === shown) return;
  shown = text;
  task.output = text;
}

/** ` 120/300, loss 0.61, 84 s left` from the heartbeat of whatever activity is under way. */
async function trainingProgress(client: Client, loop: string, iteration: number): Promise<string> {
  const workflowId = iterationWorkflowId(loop, iteration);
  for (const id of [scanWorkflowId(workflowId), workflowId]) {
    try {
      const { raw } = await client.workflow.getHandle(id).describe();
      for (const activity of raw.pendingActivities ?? []) {
        const payload = activity.heartbeatDetails?.payloads?.[0]?.data;
        const beat = heartbeatSchema.safeParse(payload == null ? null : JSON.parse(new TextDecoder().decode(payload)));
        if (!beat.success) continue;
        const { iteration: at, iterations, loss, etaSeconds, done, total } = beat.data;
        if (at !== undefined && iterations !== undefined) {
          return ` ${at}/${iterations}${loss == null ? '' : `, loss ${loss.toFixed(3)}`}${etaSeconds == null ? '' : `, ${Math.round(etaSeconds)} s left`}`;
        }
        if (done !== undefined && total !== undefined) return ` ${done}/${total}`;
      }
    } catch {
      // Progress is a courtesy: a workflow that is not there yet, or a server that restarts, must not end the wait.
    }
  }
  return '';
}

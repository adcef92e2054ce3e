import type { Client, WorkflowHandle } from '@temporalio/client';
import { Listr } from 'listr2';
import type { StepResult } from '../domain/steps.js';
import { activityProgress } from './activityProgress.js';
import { stderrLogger } from './progress.js';

const POLL_MS = 2_000;

/** Wait for a scan that stands alone, with a line on stderr that says how far it is; aborting leaves it running. */
export async function watchScan(
  client: Client,
  handle: WorkflowHandle<(input: unknown) => Promise<StepResult>>,
  scan: string,
  signal: AbortSignal,
): Promise<StepResult> {
  let result: StepResult | undefined;
  const logger = stderrLogger();
  const tasks = new Listr(
    [
      {
        title: `scan ${scan}`,
        task: async (_, task) => {
          const show = setInterval(() => {
            void activityProgress(client, [handle.workflowId]).then((text) => {
              if (text !== '' && text !== task.output) task.output = text;
            });
          }, POLL_MS);
          try {
            result = await Promise.race([handle.result(), aborted(signal)]);
          } finally {
            clearInterval(show);
          }
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
  if (result === undefined) throw new Error('the wait ended without a result');
  return result;
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = (): void => reject(signal.reason);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

import type { Client, WorkflowHandle } from '@temporalio/client';
import type { StepResult } from '../domain/steps.js';
import { activityProgress } from './activityProgress.js';
import { withProgress } from './progress.js';

const POLL_MS = 2_000;

/** Wait for a scan that stands alone, with a line on stderr that says how far it is. */
export async function watchScan(
  client: Client,
  handle: WorkflowHandle<(input: unknown) => Promise<StepResult>>,
  scan: string,
): Promise<StepResult> {
  return withProgress(`scan ${scan}`, async (line) => {
    let shown = '';
    const show = setInterval(() => {
      void activityProgress(client, [handle.workflowId]).then((text) => {
        if (text === '' || text === shown) return;
        shown = text;
        line.detail(text);
      });
    }, POLL_MS);
    try {
      return await handle.result();
    } finally {
      clearInterval(show);
    }
  });
}

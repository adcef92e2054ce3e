import type { Client } from '@temporalio/client';
import { largestBytes } from '../largestBytes.js';
import type { HistoryFigures } from './faults.js';

/** How large the history of a workflow's last run is, and the largest payload in it. */
export async function figuresOfHistory(client: Client, workflowId: string): Promise<HistoryFigures> {
  const handle = client.workflow.getHandle(workflowId);
  const { historyLength, historySize } = await handle.describe();
  return {
    events: historyLength,
    bytes: historySize ?? 0,
    largestPayload: largestBytes(await handle.fetchHistory()),
  };
}

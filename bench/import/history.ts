import type { Client } from '@temporalio/client';
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

/** The longest run of bytes anywhere in a value: in a history those are the payloads. */
export function largestBytes(value: unknown): number {
  if (value instanceof Uint8Array) return value.length;
  if (value === null || typeof value !== 'object') return 0;
  return Object.values(value).reduce((most: number, one: unknown) => Math.max(most, largestBytes(one)), 0);
}

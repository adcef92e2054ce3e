import type { Client } from '@temporalio/client';

/** The input of a workflow's run; null if it cannot be read. */
export async function workflowInput(
  client: Client,
  execution: { workflowId: string; runId: string },
): Promise<unknown> {
  const { history } = await client.workflowService.getWorkflowExecutionHistory({
    namespace: client.options.namespace,
    execution,
    maximumPageSize: 1,
  });
  const [payload] = history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
  if (payload?.data == null) return null;
  try {
    const input: unknown = JSON.parse(new TextDecoder().decode(payload.data));
    return input;
  } catch {
    return null;
  }
}

import type { Client } from '@temporalio/client';

/** What a run of a workflow was started with; null where it was nothing that can be read. */
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

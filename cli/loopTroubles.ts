import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { iterationWorkflowId, loopWorkflowId, scanWorkflowId, tuneWorkflowId } from '../domain/ids.js';
import type { LoopStatus } from '../domain/messages.js';
import { abandonedQueues, abandonedText, queueStatuses } from '../infra/pollers.js';
import { type Retrying, retryingOf } from '../infra/retrying.js';

/** Why a loop that runs may stand still: what its status alone cannot say. */
export interface LoopTroubles {
  /** Steps that are tried for the third time or more. */
  retrying: Retrying[];
  /** Sentences on queues where tasks wait and nobody polls. */
  unattended: string[];
}

/** Troubles of a loop, from what Temporal knows of it and of the iteration under way. */
export async function loopTroubles(client: Client, { loop, iteration }: LoopStatus): Promise<LoopTroubles> {
  const ids = [loopWorkflowId(loop)];
  if (iteration !== null) {
    const id = iterationWorkflowId(loop, iteration);
    ids.push(id, scanWorkflowId(id), tuneWorkflowId(id));
  }
  const [retrying, queues] = await Promise.all([
    Promise.all(ids.map((id) => retryingIn(client, id))),
    iteration === null ? [] : queueStatuses(client.connection, client.options.namespace),
  ]);
  return { retrying: retrying.flat(), unattended: abandonedQueues(queues).map(abandonedText) };
}

async function retryingIn(client: Client, id: string): Promise<Retrying[]> {
  try {
    const { raw, status } = await client.workflow.getHandle(id).describe();
    return status.name === 'RUNNING' ? retryingOf(id, raw) : [];
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return [];
    throw error;
  }
}

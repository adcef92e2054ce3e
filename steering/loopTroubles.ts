import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { iterationWorkflowId, loopWorkflowId, scanWorkflowId, tuneWorkflowId } from '../domain/base/ids.js';
import type { LoopStatus } from '../domain/messages.js';
import { type PausedWork, pausedIn, pausedText } from './pausedWork.js';
import { abandonedQueues, abandonedText, queueStatuses } from './queues.js';
import { type Retrying, retryingOf, retryingText } from './retrying.js';

/** Reasons why a running loop may stall, which its status alone does not show. */
export interface LoopTroubles {
  /** Steps at their third attempt or later. */
  retrying: Retrying[];
  /** Steps that somebody paused in Temporal itself. */
  paused: PausedWork[];
  /** Sentences on queues where tasks wait and nobody polls. */
  unattended: string[];
}

/** The same, one sentence each. */
export const troubleTexts = ({ retrying, paused, unattended }: LoopTroubles): string[] => [
  ...retrying.map((one) => `tried again and again: ${retryingText(one)}`),
  ...paused.map(pausedText),
  ...unattended,
];

/** Troubles of a loop, from what Temporal knows of it and of the iteration under way. */
export async function loopTroubles(
  client: Client,
  { loop, iteration }: Pick<LoopStatus, 'loop' | 'iteration'>,
): Promise<LoopTroubles> {
  const ids = [loopWorkflowId(loop)];
  if (iteration !== null) {
    const id = iterationWorkflowId(loop, iteration);
    ids.push(id, scanWorkflowId(id), tuneWorkflowId(id));
  }
  const [pending, queues] = await Promise.all([
    Promise.all(ids.map((id) => pendingIn(client, id))),
    iteration === null ? [] : queueStatuses(client.connection, client.options.namespace),
  ]);
  return {
    retrying: pending.flatMap(({ retrying }) => retrying),
    paused: pending.flatMap(({ paused }) => paused),
    unattended: abandonedQueues(queues).map(abandonedText),
  };
}

async function pendingIn(client: Client, id: string): Promise<Pick<LoopTroubles, 'retrying' | 'paused'>> {
  try {
    const { raw, status } = await client.workflow.getHandle(id).describe();
    if (status.name !== 'RUNNING') return { retrying: [], paused: [] };
    return { retrying: retryingOf(id, raw), paused: pausedIn(id, raw) };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return { retrying: [], paused: [] };
    throw error;
  }
}

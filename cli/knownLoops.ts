import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { PartloopError } from '../domain/errors.js';
import { loopWorkflowId } from '../domain/ids.js';
import { readLoopState } from '../storage/loopState.js';
import type { ObjectStore } from '../storage/objectStore.js';

/** Names of loops that the service knows: those that run, or all that it has not forgotten yet. */
export async function loopNames(client: Client, which: 'running' | 'all'): Promise<string[]> {
  const names = new Set<string>();
  const query = `WorkflowType = 'trainingLoop'${which === 'running' ? " AND ExecutionStatus = 'Running'" : ''}`;
  for await (const { workflowId } of client.workflow.list({ query })) names.add(workflowId.replace(/^loop:/, ''));
  return [...names].sort();
}

/**
 * Commands that wake a loop would make an empty one of any name: refuse names of loops that neither run nor have done
 * anything.
 *
 * @throws PartloopError `not-found` naming the loops there are
 */
export async function assertLoop(client: Client, store: ObjectStore, loop: string): Promise<void> {
  if ((await readLoopState(store, loop)).iterations.length > 0 || (await isRunning(client, loop))) return;
  const names = (await loopNames(client, 'all')).filter((name) => name !== loop);
  const there = names.length === 0 ? 'there is none yet' : `loops: ${names.join(', ')}`;
  throw new PartloopError('not-found', `there is no loop \`${loop}\`; ${there}`, {
    hint: '`partloop loop start` makes one.',
  });
}

async function isRunning(client: Client, loop: string): Promise<boolean> {
  try {
    return (await client.workflow.getHandle(loopWorkflowId(loop)).describe()).status.name === 'RUNNING';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

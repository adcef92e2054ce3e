import type { Client } from '@temporalio/client';
import { PartloopError } from '../domain/base/errors.js';
import { loopWorkflowId } from '../domain/base/ids.js';
import { isOpen, runningLoops } from '../steps/workflows/openWorkflows.js';
import { listLoops, readLoopState } from '../storage/loopState.js';
import type { ObjectStore } from '../storage/objects/objectStore.js';

/** Names of running loops and of loops with a record. */
export async function loopNames(client: Client, store: ObjectStore): Promise<string[]> {
  return [...new Set([...(await listLoops(store)), ...(await runningLoops(client))])].sort();
}

/**
 * Commands that wake a loop would create an empty one of any name: refuse names of loops that neither run nor have a
 * record.
 *
 * @throws PartloopError `not-found` listing the existing loops
 */
export async function assertLoop(client: Client, store: ObjectStore, loop: string): Promise<void> {
  // A running loop can be steered even if its record is unreadable.
  if ((await isOpen(client, loopWorkflowId(loop))) || (await readLoopState(store, loop)).iterations.length > 0) return;
  const names = (await loopNames(client, store)).filter((name) => name !== loop);
  const there = names.length === 0 ? 'there is none yet' : `loops: ${names.join(', ')}`;
  throw new PartloopError('not-found', `there is no loop \`${loop}\`; ${there}`, {
    hint: '`partloop loop start` makes one.',
  });
}

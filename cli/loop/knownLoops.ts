import type { Client } from '@temporalio/client';
import { isOpen, runningLoops } from '../../activities/openWorkflows.js';
import { PartloopError } from '../../domain/base/errors.js';
import { loopWorkflowId } from '../../domain/base/ids.js';
import { listLoops, readLoopState } from '../../storage/loopState.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';

/** Names of loops: those that run, and those that have done something. */
export async function loopNames(client: Client, store: ObjectStore): Promise<string[]> {
  return [...new Set([...(await listLoops(store)), ...(await runningLoops(client))])].sort();
}

/**
 * Commands that wake a loop would make an empty one of any name: refuse names of loops that neither run nor have done
 * anything.
 *
 * @throws PartloopError `not-found` naming the loops there are
 */
export async function assertLoop(client: Client, store: ObjectStore, loop: string): Promise<void> {
  // A loop that runs can be steered also where its record cannot be read.
  if ((await isOpen(client, loopWorkflowId(loop))) || (await readLoopState(store, loop)).iterations.length > 0) return;
  const names = (await loopNames(client, store)).filter((name) => name !== loop);
  const there = names.length === 0 ? 'there is none yet' : `loops: ${names.join(', ')}`;
  throw new PartloopError('not-found', `there is no loop \`${loop}\`; ${there}`, {
    hint: '`partloop loop start` makes one.',
  });
}

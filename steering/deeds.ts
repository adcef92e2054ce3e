import type { Client } from '@temporalio/client';
import { PartloopError } from '../domain/base/errors.js';
import { loopWorkflowId } from '../domain/base/ids.js';
import type { LoopStatus, RetryIteration } from '../domain/messages.js';
import { UPDATES } from '../domain/workflowNames.js';
import { isOpen, runningIterations } from '../steps/workflows/openWorkflows.js';
import { recordedIteration } from '../storage/loopState.js';
import type { ObjectStore } from '../storage/objects/objectStore.js';
import { assertLoop } from './knownLoops.js';
import { cancelIteration, commandLoop, type LoopCommand } from './loopClient.js';

/** A loop by its name, with what reaches it. */
export interface SteeredLoop {
  client: Client;
  store: ObjectStore;
  loop: string;
}

/**
 * Send a command to a loop that exists.
 *
 * @throws PartloopError `not-found` listing the existing loops, and whatever the loop refuses with
 */
export async function steer({ client, store, loop }: SteeredLoop, command: LoopCommand): Promise<LoopStatus> {
  await assertLoop(client, store, loop);
  return commandLoop(client, loop, command);
}

/**
 * Do a recorded iteration again, beginning at a step.
 *
 * @throws PartloopError `not-found` that names the recorded ones, and whatever the loop refuses with
 */
export async function replay(
  { client, store, loop }: SteeredLoop,
  request: RetryIteration & Required<Pick<RetryIteration, 'iteration' | 'from'>>,
): Promise<LoopStatus> {
  await recordedIteration(store, loop, request.iteration);
  return commandLoop(client, loop, { name: UPDATES.retryIteration, args: [request] });
}

/** What a stop did: it reached the loop, or it cancelled iterations that ran without it. */
export type Stopped = { status: LoopStatus } | { cancelled: number[] };

/**
 * End a loop. One that was ended in the Web UI leaves its iteration running: then a stop means that iteration.
 *
 * @throws PartloopError `refused` if an iteration runs without its loop and `now` is false
 */
export async function stopLoop({ client, store, loop }: SteeredLoop, now: boolean): Promise<Stopped> {
  await assertLoop(client, store, loop);
  const running = (await isOpen(client, loopWorkflowId(loop))) ? [] : await runningIterations(client, loop);
  if (running.length === 0) return { status: await commandLoop(client, loop, { name: UPDATES.stop, args: [{ now }] }) };
  if (!now) {
    throw new PartloopError('refused', `loop \`${loop}\` does not run, but its iteration ${running.join(', ')} does`, {
      hint: '`--now` cancels it; otherwise it runs to its end.',
    });
  }
  for (const iteration of running) await cancelIteration(client, loop, iteration);
  return { cancelled: running };
}

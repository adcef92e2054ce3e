import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { PartloopError } from '../domain/base/errors.js';
import { LIGHT_QUEUE } from '../domain/base/queues.js';

export const WORKERS_HINT =
  '`partloop status` shows the workers of the local stack, `partloop doctor` what they lack; on other machines, start one with the role `light`.';
/** A worker that just started checks its machine before it asks for work. */
const WORKERS_COME_MS = 30_000;
const WORKERS_LOOK_MS = 500;

/**
 * Refuses a request that no worker would handle: it would wait silently.
 *
 * @param patienceMs for how long workers that just started are waited for
 * @throws PartloopError `stack-unavailable` if none polls for workflows by then
 */
export async function assertWorkers(client: Client, patienceMs = WORKERS_COME_MS): Promise<void> {
  const startedAt = performance.now();
  while (!(await hasWorkers(client))) {
    if (performance.now() - startedAt < patienceMs) {
      await sleep(WORKERS_LOOK_MS);
      continue;
    }
    throw new PartloopError(
      'stack-unavailable',
      `no worker polls the task queue \`${LIGHT_QUEUE}\`, so nothing would happen`,
      {
        hint: WORKERS_HINT,
      },
    );
  }
}

async function hasWorkers(client: Client): Promise<boolean> {
  const { pollers } = await client.workflowService.describeTaskQueue({
    namespace: client.options.namespace,
    taskQueue: { name: LIGHT_QUEUE },
    taskQueueType: 1,
  });
  return (pollers ?? []).length > 0;
}

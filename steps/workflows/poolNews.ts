import type { Client } from '@temporalio/client';
import { loopWorkflowId } from '../../domain/base/ids.js';
import { SIGNALS } from '../../domain/workflowNames.js';
import { runningLoops } from './openWorkflows.js';

/**
 * Tell every loop that runs that a pool has images which it had not: one of this pool that waits for images looks at
 * once.
 */
export async function tellLoops(client: Client, pool: string): Promise<void> {
  for (const loop of await runningLoops(client))
    await client.workflow
      .getHandle(loopWorkflowId(loop))
      .signal(SIGNALS.poolGrew, { pool })
      // One that ended meanwhile finds the images at its next start.
      .catch(() => undefined);
}

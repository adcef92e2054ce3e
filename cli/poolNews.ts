import type { Client } from '@temporalio/client';
import { runningLoops } from '../activities/openWorkflows.js';
import { loopWorkflowId } from '../domain/base/ids.js';
import { SIGNALS } from '../domain/workflowNames.js';
import type { StackEnvironment } from '../infra/environment.js';
import { connect } from './environment.js';

/** Tell every running loop that a pool has new images: a loop of this pool that waits for images looks at once. */
export async function tellLoops(client: Client, pool: string): Promise<void> {
  for (const loop of await runningLoops(client))
    await client.workflow
      .getHandle(loopWorkflowId(loop))
      .signal(SIGNALS.poolGrew, { pool })
      // One that ended meanwhile finds the images at its next start.
      .catch(() => undefined);
}

/**
 * The same after an import. It does not fail if Temporal does not answer, since a loop also looks by itself every hour.
 */
export async function tellLoopsAfterImport(env: StackEnvironment, pool: string): Promise<void> {
  const client = await connect(env).catch(() => null);
  if (client === null) return;
  try {
    await client.withDeadline(Date.now() + 10_000, () => tellLoops(client, pool));
  } catch {
    // As above.
  } finally {
    await client.connection.close();
  }
}

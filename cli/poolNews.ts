import type { Client } from '@temporalio/client';
import type { StackEnvironment } from '../infra/environment.js';
import { connect } from './environment.js';

/** Tell every loop that runs that a pool has images which it had not: one of this pool that waits for images looks at once. */
export async function tellLoops(client: Client, pool: string): Promise<void> {
  const query = "WorkflowType = 'trainingLoop' AND ExecutionStatus = 'Running'";
  // One that ended meanwhile finds the images at its next start.
  for await (const { workflowId } of client.workflow.list({ query }))
    await client.workflow
      .getHandle(workflowId)
      .signal('poolGrew', { pool })
      .catch(() => undefined);
}

/** The same after an import. Images are there whether Temporal answers or not: a loop also looks by itself, every hour. */
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

import type { Client } from '@temporalio/client';
import { iterationWorkflowId } from '../../domain/base/ids.js';
import { SEARCH_ATTRIBUTES } from '../../domain/searchAttributes.js';

/** The iteration that runs, as the server knows it, whether workers answer or not; null if none does. */
export async function runningIteration(client: Client, loop: string, last: number): Promise<number | null> {
  for (let iteration = last; iteration > 0; iteration--) {
    const found = await client.workflow
      .getHandle(iterationWorkflowId(loop, iteration))
      .describe()
      .catch(() => null);
    if (found?.status.name === 'RUNNING') return iteration;
  }
  return null;
}

/** The iteration and the step under way; null if none runs or the server does not answer. */
export async function stepUnderWay(
  client: Client,
  loop: string,
  last: number,
): Promise<{ iteration: number; step: string } | null> {
  const iteration = await runningIteration(client, loop, last);
  if (iteration === null) return null;
  const { typedSearchAttributes } = await client.workflow.getHandle(iterationWorkflowId(loop, iteration)).describe();
  return { iteration, step: typedSearchAttributes.get(SEARCH_ATTRIBUTES.step) ?? 'preparing' };
}

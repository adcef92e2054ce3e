import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { parseIterationWorkflowId } from '../../domain/base/ids.js';
import { SEARCH_ATTRIBUTES } from '../../domain/searchAttributes.js';
import { WORKFLOWS } from '../../domain/workflowNames.js';

/** Whether a run of this workflow is open. */
export async function isOpen(client: Client, workflowId: string): Promise<boolean> {
  try {
    return (await client.workflow.getHandle(workflowId).describe()).status.name === 'RUNNING';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

/** Names of the running loops, as far as the service's list knows. */
export async function runningLoops(client: Client): Promise<string[]> {
  const query = `WorkflowType = '${WORKFLOWS.trainingLoop}' AND ExecutionStatus = 'Running'`;
  const running: string[] = [];
  for await (const { workflowId } of client.workflow.list({ query })) running.push(workflowId.replace(/^loop:/, ''));
  return running;
}

/** Running iterations of a loop, whether the loop itself runs or not, as far as the service's list knows. */
export async function runningIterations(client: Client, loop: string): Promise<number[]> {
  const running: number[] = [];
  const { name } = SEARCH_ATTRIBUTES.loop;
  const query = `WorkflowType = '${WORKFLOWS.loopIteration}' AND ExecutionStatus = 'Running' AND ${name} = '${loop}'`;
  for await (const { workflowId } of client.workflow.list({ query })) {
    const found = parseIterationWorkflowId(workflowId);
    if (found?.loop === loop) running.push(found.iteration);
  }
  return running;
}

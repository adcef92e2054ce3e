import type { Client } from '@temporalio/client';
import { approveIteration } from '../activities/approval.js';
import { loopWorkflowId } from '../domain/base/ids.js';
import { type Approval, type ApproveIteration, approveIterationSchema } from '../domain/messages.js';
import { isOpen } from '../steps/workflows/openWorkflows.js';
import type { ObjectStore } from '../storage/objects/objectStore.js';
import { approveInLoop } from './loopClient.js';

/**
 * Put the candidate of an iteration into production: through the loop if it is open, so that its history shows who
 * approved what, and directly if it is not.
 *
 * @throws PartloopError as `approveIteration` does, and `stack-unavailable` if the loop is open and no worker answers
 */
export async function approve(
  client: Client,
  store: ObjectStore,
  loop: string,
  request: ApproveIteration,
): Promise<Approval> {
  if (await isOpen(client, loopWorkflowId(loop))) return approveInLoop(client, loop, request);
  return approveIteration({ store }, { loop, ...approveIterationSchema.parse(request) });
}

import type { Client } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { iterationWorkflowId, scanWorkflowId } from '../domain/base/ids.js';
import { type Progress, progressSchema, progressText } from '../domain/progress.js';

/** The last heartbeat of the current activity of these workflows; null if there is none. */
export async function currentProgress(client: Client, workflowIds: readonly string[]): Promise<Progress | null> {
  for (const id of workflowIds) {
    try {
      const { raw } = await client.workflow.getHandle(id).describe();
      for (const activity of raw.pendingActivities ?? []) {
        const payload = activity.heartbeatDetails?.payloads?.[0];
        const told = progressSchema.safeParse(payload == null ? null : defaultPayloadConverter.fromPayload(payload));
        if (told.success) return told.data;
      }
    } catch {
      // Progress is optional: a missing workflow or a restarting server must not end the wait.
    }
  }
  return null;
}

/** The same as text: `training, 120 of 300 iterations, loss 0.61, 84 s left`. Empty if there is none. */
export async function activityProgress(client: Client, workflowIds: readonly string[]): Promise<string> {
  const progress = await currentProgress(client, workflowIds);
  return progress === null ? '' : progressText(progress);
}

/** The workflows in which the current activity of an iteration may run. */
export function workflowsOfIteration(loop: string, iteration: number): string[] {
  const workflowId = iterationWorkflowId(loop, iteration);
  return [scanWorkflowId(workflowId), workflowId];
}

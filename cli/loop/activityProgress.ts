import type { Client } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { progressSchema, progressText } from '../../domain/progress.js';

/**
 * The progress of the current activity of these workflows, from its last heartbeat: `training, 120 of 300 iterations,
 * loss 0.61, 84 s left`. Empty if there is none.
 */
export async function activityProgress(client: Client, workflowIds: readonly string[]): Promise<string> {
  for (const id of workflowIds) {
    try {
      const { raw } = await client.workflow.getHandle(id).describe();
      for (const activity of raw.pendingActivities ?? []) {
        const payload = activity.heartbeatDetails?.payloads?.[0];
        const told = progressSchema.safeParse(payload == null ? null : defaultPayloadConverter.fromPayload(payload));
        if (told.success) return progressText(told.data);
      }
    } catch {
      // Progress is optional: a missing workflow or a restarting server must not end the wait.
    }
  }
  return '';
}

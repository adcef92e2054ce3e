import type { Client } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { progressSchema, progressText } from '../../domain/progress.js';

/**
 * How far whatever activity of these workflows is under way, as it told with its last heartbeat:
 * `training, 120 of 300 iterations, loss 0.61, 84 s left`. Empty where none told anything.
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
      // Progress is a courtesy: a workflow that is not there yet, or a server that restarts, must not end the wait.
    }
  }
  return '';
}

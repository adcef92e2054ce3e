import type { Client } from '@temporalio/client';
import { z } from 'zod';

const heartbeatSchema = z.looseObject({
  iteration: z.number().optional(),
  iterations: z.number().optional(),
  loss: z.number().nullish(),
  etaSeconds: z.number().nullish(),
  done: z.number().optional(),
  total: z.number().optional(),
});

/** `120/300, loss 0.61, 84 s left` from the heartbeat of whatever activity of these workflows is under way. */
export async function activityProgress(client: Client, workflowIds: readonly string[]): Promise<string> {
  for (const id of workflowIds) {
    try {
      const { raw } = await client.workflow.getHandle(id).describe();
      for (const activity of raw.pendingActivities ?? []) {
        const payload = activity.heartbeatDetails?.payloads?.[0]?.data;
        const beat = heartbeatSchema.safeParse(payload == null ? null : JSON.parse(new TextDecoder().decode(payload)));
        if (!beat.success) continue;
        const { iteration: at, iterations, loss, etaSeconds, done, total } = beat.data;
        if (at !== undefined && iterations !== undefined) {
          return `${at}/${iterations}${loss == null ? '' : `, loss ${loss.toFixed(3)}`}${etaSeconds == null ? '' : `, ${Math.round(etaSeconds)} s left`}`;
        }
        if (done !== undefined && total !== undefined) return `${done}/${total}`;
      }
    } catch {
      // Progress is a courtesy: a workflow that is not there yet, or a server that restarts, must not end the wait.
    }
  }
  return '';
}

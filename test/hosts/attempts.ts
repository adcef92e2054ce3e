import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { parseWorkerIdentity } from '../../domain/base/workerIdentity.js';
import { type Progress, progressSchema } from '../../domain/progress.js';

/** An attempt at an activity that a worker has in hand. */
export interface UnderWay {
  activityId: string;
  type: string;
  attempt: number;
  /** Name of the host that has it. */
  host: string;
  /** Its latest message. */
  progress: Progress | null;
}

/** The attempts that a running workflow waits for, as the server sees them. */
export async function attemptsUnderWay(client: Client, workflowId: string): Promise<UnderWay[]> {
  const { raw, status } = await client.workflow.getHandle(workflowId).describe();
  if (status.name !== 'RUNNING') throw new Error(`${workflowId} has ended: ${status.name}`);
  return (raw.pendingActivities ?? []).flatMap((activity) => {
    const worker = parseWorkerIdentity(activity.lastWorkerIdentity ?? '');
    if (worker === null || activity.lastStartedTime == null) return [];
    const payload = activity.heartbeatDetails?.payloads?.[0];
    return {
      activityId: activity.activityId ?? '',
      type: activity.activityType?.name ?? '',
      attempt: activity.attempt ?? 1,
      host: worker.host,
      progress:
        progressSchema.safeParse(payload == null ? null : defaultPayloadConverter.fromPayload(payload)).data ?? null,
    };
  });
}

/** Wait for something to come about; the test's own limit ends the wait. */
export async function until<T>(look: () => Promise<T | null | undefined | false>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found) return found;
    await sleep(100);
  }
}

/** Which shard each activity of a scan judges. */
export async function shardsOf(client: Client, workflowId: string): Promise<ReadonlyMap<string, number>> {
  const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
  return new Map(
    (events ?? []).flatMap(({ activityTaskScheduledEventAttributes: of }) => {
      const input = of?.input?.payloads?.[0];
      if (of?.activityType?.name !== 'scanShard' || input == null) return [];
      return [[of.activityId ?? '', defaultPayloadConverter.fromPayload<{ shard: number }>(input).shard]];
    }),
  );
}

/** Names of the hosts that ended activities of a type, by the history. */
export async function hostsThatDid(client: Client, workflowId: string, type: string): Promise<string[]> {
  const { events = [] } = await client.workflow.getHandle(workflowId).fetchHistory();
  const scheduled = new Set(
    (events ?? []).flatMap(({ eventId, activityTaskScheduledEventAttributes: of }) =>
      of?.activityType?.name === type ? String(eventId) : [],
    ),
  );
  const hosts = (events ?? []).flatMap(({ activityTaskCompletedEventAttributes: of }) =>
    of != null && scheduled.has(String(of.scheduledEventId))
      ? (parseWorkerIdentity(of.identity ?? '')?.host ?? [])
      : [],
  );
  return [...new Set(hosts)].sort();
}

import type { Client } from '@temporalio/client';
import proto from '@temporalio/proto';
import { largestBytes } from '../../largestBytes.js';

const { History } = proto.temporal.api.history.v1;
type Events = NonNullable<Awaited<ReturnType<ReturnType<Client['workflow']['getHandle']>['fetchHistory']>>['events']>;

/** One run of a workflow, as its history tells it. */
export interface Run {
  workflowId: string;
  type: string;
  events: number;
  bytes: number;
  /** Bytes of the largest payload of its history. */
  largestPayload: number;
  startedAt: number;
  endedAt: number;
  /** When activities of each type were asked for first and had ended last; ms of the epoch. */
  activities: Record<string, { from: number; to: number; count: number }>;
}

/** Every run of every workflow, by start. */
export async function readRuns(client: Client): Promise<Run[]> {
  const runs: Run[] = [];
  for await (const { workflowId, runId, type } of client.workflow.list()) {
    const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    const events = history.events ?? [];
    runs.push({
      workflowId,
      type,
      events: events.length,
      bytes: History.encode(history).finish().byteLength,
      largestPayload: largestBytes(history),
      startedAt: timeOf(events.at(0)),
      endedAt: timeOf(events.at(-1)),
      activities: activitiesOf(events),
    });
  }
  return runs.sort((a, b) => a.startedAt - b.startedAt);
}

function activitiesOf(events: Events): Run['activities'] {
  const names = new Map<string, string>();
  const activities: Run['activities'] = {};
  for (const event of events) {
    const { activityTaskScheduledEventAttributes: asked, activityTaskCompletedEventAttributes: ended } = event;
    if (asked != null) {
      const name = asked.activityType?.name ?? '';
      names.set(String(event.eventId), name);
      activities[name] ??= { from: timeOf(event), to: timeOf(event), count: 0 };
    }
    const activity = ended == null ? undefined : activities[names.get(String(ended.scheduledEventId)) ?? ''];
    if (activity === undefined) continue;
    activity.to = timeOf(event);
    activity.count += 1;
  }
  return activities;
}

function timeOf(event: Events[number] | undefined): number {
  return 1_000 * Number(event?.eventTime?.seconds ?? 0) + (event?.eventTime?.nanos ?? 0) / 1e6;
}

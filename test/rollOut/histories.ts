import type { Client } from '@temporalio/client';
import { Worker } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { z } from 'zod';
import { workflowBundle } from '../../workers/workflowCode.js';
import { workflowBundle as withRuntime } from '../support/servers/workflowEnvironment.js';
import type { Build } from './builds.js';

const patchSchema = z.object({ id: z.string() });
const shardSchema = z.object({ shard: z.number() });

export type History = Awaited<ReturnType<ReturnType<Client['workflow']['getHandle']>['fetchHistory']>>;

/** The history of a workflow's newest run, or of another one. */
export const historyOf = (client: Client, workflowId: string, runId?: string): Promise<History> =>
  client.workflow.getHandle(workflowId, runId).fetchHistory();

/** The builds that ran a workflow, in order. */
export function buildsOf({ events }: History): string[] {
  const builds = (events ?? []).flatMap(
    (event) => event.workflowTaskCompletedEventAttributes?.workerVersion?.buildId ?? [],
  );
  return builds.filter((build, index) => build !== builds[index - 1]);
}

/** The patches that a workflow has passed, in order. */
export function patchesOf({ events }: History): string[] {
  return (events ?? []).flatMap(({ markerRecordedEventAttributes: marker }) => {
    const data = marker?.details?.['patch-data']?.payloads?.[0]?.data;
    return data == null ? [] : [patchSchema.parse(JSON.parse(Buffer.from(data).toString())).id];
  });
}

/** Whether a worker could not go on with a workflow: such tasks are tried again without end. */
export const hasStoodStill = ({ events }: History): boolean =>
  (events ?? []).some((event) => event.workflowTaskFailedEventAttributes != null);

/** The work of a scan on a shard. */
export interface ShardTold {
  shard: number;
  /** Which attempt at it succeeded. */
  attempt: number;
  /** When that was, as ms of the epoch. */
  doneAt: number;
}

/** Every time that a scan had a shard judged, in order. */
export function shardsOf({ events }: History): ShardTold[] {
  const asked = new Map<string, number>();
  const attempts = new Map<string, number>();
  const told: ShardTold[] = [];
  for (const event of events ?? []) {
    const { activityTaskScheduledEventAttributes: scheduled, activityTaskStartedEventAttributes: started } = event;
    if (scheduled?.activityType?.name === 'scanShard') {
      const input = Buffer.from(scheduled.input?.payloads?.[0]?.data ?? '').toString();
      asked.set(String(event.eventId), shardSchema.parse(JSON.parse(input)).shard);
    }
    if (started != null) attempts.set(String(started.scheduledEventId), started.attempt ?? 0);
    const of = String(event.activityTaskCompletedEventAttributes?.scheduledEventId);
    const shard = asked.get(of);
    if (shard !== undefined)
      told.push({ shard, attempt: attempts.get(of) ?? 0, doneAt: 1_000 * Number(event.eventTime?.seconds ?? 0) });
  }
  return told;
}

/** Whether a build comes to what a history says; anything but a difference is thrown. */
export async function replays({ root }: Build, workflowId: string, history: History): Promise<boolean> {
  // Who replays first makes the native runtime of this process.
  await withRuntime();
  try {
    await Worker.runReplayHistory({ workflowBundle: workflowBundle(root) }, history, workflowId);
    return true;
  } catch (error) {
    if (error instanceof DeterminismViolationError) return false;
    throw error;
  }
}

import { Client, Connection } from '@temporalio/client';
import { LIGHT_QUEUE, SCAN_QUEUE, TRAIN_QUEUE } from '../domain/queues.js';
import { parseWorkerIdentity } from '../domain/workerIdentity.js';
import { temporalConnectionOptions } from './temporalConnection.js';

/** Age in milliseconds at which a poll is over: Temporal ends each after a minute. */
const POLL_IS_OVER_MS = 90_000;
/** Running workflows that are looked through for what a process is at work on. */
const WORKFLOWS_LOOKED_AT = 200;
/** As Temporal's API numbers them. */
const TYPES = { workflow: 1, activity: 2 } as const;
const STARTED = 2;
const QUEUES = [
  { queue: LIGHT_QUEUE, kind: 'workflow' },
  { queue: LIGHT_QUEUE, kind: 'activity' },
  { queue: SCAN_QUEUE, kind: 'activity' },
  { queue: TRAIN_QUEUE, kind: 'activity' },
] as const;

/** Who asks a task queue for work, as the Temporal service sees it. */
export interface QueueStatus {
  queue: string;
  kind: 'workflow' | 'activity';
  /** Identities that polled within the last minute and a half. */
  pollers: string[];
  /** Tasks that wait there; null where the service does not say. */
  waiting: number | null;
}

/** An activity that a worker has taken. */
export interface TakenActivity {
  identity: string;
  activity: string;
  workflowId: string;
}

export interface PollerStatus {
  queues: QueueStatus[];
  taken: TakenActivity[];
}

/**
 * What a worker process does: `polls` asks for work, `works` has as much as it takes, `silent` runs and does neither, as where a
 * thread of it hangs.
 */
export type WorkerActivity = { does: 'polls' } | { does: 'works'; on: string[] } | { does: 'silent' };

/** Task queues and their pollers; null where no service answers. */
export async function pollerStatus(address: string, namespace: string): Promise<PollerStatus | null> {
  let connection: Connection;
  try {
    connection = await Connection.connect(temporalConnectionOptions(address));
  } catch {
    return null;
  }
  try {
    const queues = await Promise.all(QUEUES.map((one) => queueStatus(connection, namespace, one)));
    return { queues, taken: await takenActivities(connection, namespace) };
  } catch {
    return null;
  } finally {
    await connection.close();
  }
}

/** What the process `pid` of a role does, by what the service has seen of it. */
export function workerActivity({ queues, taken }: PollerStatus, role: string, pid: number): WorkerActivity {
  const isIts = (identity: string): boolean => {
    const worker = parseWorkerIdentity(identity);
    return worker !== null && worker.role === role && worker.pid === pid;
  };
  if (queues.some(({ pollers }) => pollers.some(isIts))) return { does: 'polls' };
  const on = taken
    .filter(({ identity }) => isIts(identity))
    .map(({ activity, workflowId }) => `${activity} of ${workflowId}`);
  return on.length === 0 ? { does: 'silent' } : { does: 'works', on };
}

async function queueStatus(
  connection: Connection,
  namespace: string,
  { queue, kind }: (typeof QUEUES)[number],
): Promise<QueueStatus> {
  const { pollers, stats } = await connection.workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name: queue },
    taskQueueType: TYPES[kind],
    reportStats: true,
  });
  const oldest = Date.now() - POLL_IS_OVER_MS;
  return {
    queue,
    kind,
    pollers: (pollers ?? [])
      .filter(({ lastAccessTime }) => 1_000 * Number(lastAccessTime?.seconds ?? 0) >= oldest)
      .map(({ identity }) => identity ?? ''),
    waiting: stats?.approximateBacklogCount == null ? null : Number(stats.approximateBacklogCount),
  };
}

async function takenActivities(connection: Connection, namespace: string): Promise<TakenActivity[]> {
  const { workflow } = new Client({ connection, namespace });
  const taken: TakenActivity[] = [];
  let looked = 0;
  for await (const { workflowId, runId } of workflow.list({ query: 'ExecutionStatus = "Running"' })) {
    if (++looked > WORKFLOWS_LOOKED_AT) break;
    const { raw } = await workflow.getHandle(workflowId, runId).describe();
    for (const { state, lastWorkerIdentity, activityType } of raw.pendingActivities ?? []) {
      if (state !== STARTED) continue;
      taken.push({ identity: lastWorkerIdentity ?? '', activity: activityType?.name ?? '', workflowId });
    }
  }
  return taken;
}

import type { ConnectionLike } from '@temporalio/client';
import { counted } from '../domain/base/counted.js';
import { LIGHT_QUEUE, SCAN_QUEUE, TRAIN_QUEUE } from '../domain/base/queues.js';

/** Age in milliseconds at which a poll is over: Temporal ends each after a minute. */
const POLL_IS_OVER_MS = 90_000;
/** Numbers of Temporal's API. */
const TYPES = { workflow: 1, activity: 2 } as const;
const QUEUES = [
  { queue: LIGHT_QUEUE, kind: 'workflow' },
  { queue: LIGHT_QUEUE, kind: 'activity' },
  { queue: SCAN_QUEUE, kind: 'activity' },
  { queue: TRAIN_QUEUE, kind: 'activity' },
] as const;

/** The pollers of a task queue, as the Temporal service sees them. */
export interface QueueStatus {
  queue: string;
  kind: 'workflow' | 'activity';
  /** Identities that polled within the last minute and a half. */
  pollers: string[];
  /** Number of waiting tasks; null if the service does not tell. */
  waiting: number | null;
}

/** Each task queue with its pollers and waiting tasks. */
export const queueStatuses = (
  connection: Pick<ConnectionLike, 'workflowService'>,
  namespace: string,
): Promise<QueueStatus[]> => Promise.all(QUEUES.map((one) => queueStatus(connection, namespace, one)));

async function queueStatus(
  connection: Pick<ConnectionLike, 'workflowService'>,
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

/** Queues on which tasks wait while nobody asks for them. */
export const abandonedQueues = (queues: readonly QueueStatus[]): QueueStatus[] =>
  queues.filter(({ pollers, waiting }) => pollers.length === 0 && (waiting ?? 0) > 0);

export const abandonedText = ({ queue, kind, waiting }: QueueStatus): string =>
  `${counted(waiting ?? 0, `${kind} task waits`, `${kind} tasks wait`)} on queue ${queue}, which nobody polls now.`;

import type { Client } from '@temporalio/client';

/** As Temporal's API numbers the kinds of task queues. */
const ACTIVITY_QUEUE = 2;
/** A probe is answered before whoever asks gives up: kubelets are told to wait 5 seconds. */
const DEADLINE_MS = 3_000;

/** A worker that asks a queue for activities, as far as a probe is concerned. */
export interface Asker {
  identity: string;
  taskQueue: string;
  /** Whether it has as many activities as it takes: then it asks for none. */
  isFull(): boolean;
}

/**
 * Why work would not reach a worker, as the Temporal service sees it; null if it would. The service lists who asked a
 * queue for work within five minutes.
 */
export async function whyUnseen({ connection, options }: Client, asker: Asker): Promise<string | null> {
  const { identity, taskQueue, isFull } = asker;
  try {
    const { pollers } = await connection.withDeadline(Date.now() + DEADLINE_MS, () =>
      connection.workflowService.describeTaskQueue({
        namespace: options.namespace,
        taskQueue: { name: taskQueue },
        taskQueueType: ACTIVITY_QUEUE,
      }),
    );
    const isSeen = isFull() || pollers.some((poller) => poller.identity === identity);
    return isSeen ? null : `Temporal has seen no poll of ${taskQueue} by this worker yet`;
  } catch {
    return 'Temporal does not answer';
  }
}

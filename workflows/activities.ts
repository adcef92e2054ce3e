import { ActivityCancellationType, type ActivityOptions, proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index.js';
import { NON_RETRYABLE_CODES } from '../domain/base/failures/failure.js';
import { SCAN_QUEUE, TRAIN_QUEUE } from '../domain/base/queues.js';
import type { DurabilityConfig } from '../domain/config.js';

/** Faults of machines and networks are retried without end; faults that a person must repair are never retried. */
const retry = {
  initialInterval: '1 second',
  backoffCoefficient: 2,
  maximumInterval: '1 minute',
  nonRetryableErrorTypes: [...NON_RETRYABLE_CODES],
} satisfies ActivityOptions['retry'];

/** Cancelled work ends by itself first (a batch, a checkpoint), so that nothing is half done. */
const cancellationType = ActivityCancellationType.WAIT_CANCELLATION_COMPLETED;

/** Light steps: reads, and writes to fresh keys under a commit that is made once. A second run finds the commit. */
export const light = proxyActivities<Activities>({
  startToCloseTimeout: '2 hours',
  heartbeatTimeout: '2 minutes',
  retry,
  cancellationType,
});

/** Reads and conditional writes that take seconds: starting, joining, recording. Safe to run twice. */
export const bookkeeping = proxyActivities<Activities>({ startToCloseTimeout: '2 minutes', retry });

/** A drop of an inbox, of up to half a million files. A second run goes on behind what the first has settled. */
export const ingesting = proxyActivities<Activities>({
  startToCloseTimeout: '7 days',
  heartbeatTimeout: '2 minutes',
  retry,
  cancellationType,
});

/** Waiting for another workflow, for as long as it takes. A second run waits again. */
export const joining = proxyActivities<Activities>({
  startToCloseTimeout: '30 days',
  heartbeatTimeout: '2 minutes',
  retry,
  cancellationType,
});

/** Inference over a shard or a test set. A second run skips shards whose object is there. */
export function scanning(durability: DurabilityConfig): Activities {
  return proxyActivities<Activities>({
    taskQueue: SCAN_QUEUE,
    startToCloseTimeout: '6 hours',
    heartbeatTimeout: `${durability.scanHeartbeatSeconds} seconds`,
    retry,
    cancellationType,
  });
}

/** Training for hours or days. A second run continues from the last checkpoint, fenced by a lease. */
export function training(durability: DurabilityConfig): Activities {
  return proxyActivities<Activities>({
    taskQueue: TRAIN_QUEUE,
    startToCloseTimeout: '30 days',
    heartbeatTimeout: `${durability.trainHeartbeatSeconds} seconds`,
    retry,
    cancellationType,
  });
}

import type { WorkflowExecutionDescription } from '@temporalio/client';
import { oneLine } from '../domain/base/oneLine.js';
import { parseWorkerIdentity } from '../domain/base/workerIdentity.js';

/** The first attempt that people are told about: earlier ones are transient faults, for which retries exist. */
export const TOLD_FROM_ATTEMPT = 3;

/** Work that has failed repeatedly and is retried. */
export interface Retrying {
  workflowId: string;
  /** The activity, or `workflow task` if the code of the workflow itself fails. */
  step: string;
  attempt: number;
  /** The last failure with its hint, as one line; null if the service does not tell. */
  lastFailure: string | null;
  /** Seconds until the next attempt; null if it is running now. */
  nextTrySeconds: number | null;
  /** The worker of the last attempt; null if unknown. */
  worker: { role: string; host: string } | null;
}

type Raw = WorkflowExecutionDescription['raw'];

/** The work of a workflow at its third attempt or later. */
export function retryingOf(workflowId: string, { pendingActivities, pendingWorkflowTask }: Raw): Retrying[] {
  const found = (pendingActivities ?? []).flatMap((pending): Retrying[] => {
    const { activityType, attempt, lastFailure, lastWorkerIdentity, nextAttemptScheduleTime } = pending;
    if ((attempt ?? 1) < TOLD_FROM_ATTEMPT) return [];
    const worker = parseWorkerIdentity(lastWorkerIdentity ?? '');
    const next = nextAttemptScheduleTime?.seconds;
    return [
      {
        ...{ workflowId, step: activityType?.name ?? 'activity', attempt: attempt ?? 1 },
        lastFailure: lastFailure?.message == null ? null : oneLine(lastFailure.message),
        nextTrySeconds: next == null ? null : Math.max(0, Math.round(Number(next) - Date.now() / 1_000)),
        worker: worker === null ? null : { role: worker.role, host: worker.host },
      },
    ];
  });
  const task = pendingWorkflowTask?.attempt ?? 1;
  if (task < TOLD_FROM_ATTEMPT) return found;
  const unknown = { lastFailure: null, nextTrySeconds: null, worker: null };
  return [...found, { workflowId, step: 'workflow task', attempt: task, ...unknown }];
}

/** One line for people: `scanShard of loop:cars:iteration:0001:scan, try 4, by scan on host-3: … Next try in 8 s.` */
export function retryingText({ workflowId, step, attempt, lastFailure, nextTrySeconds, worker }: Retrying): string {
  const who = worker === null ? '' : `, by ${worker.role} on ${worker.host}`;
  const why = lastFailure === null ? '' : `: ${lastFailure}`;
  const stop = /[.!?]$/.test(why) ? '' : '.';
  const now = lastFailure === null ? '' : `${stop} This try is under way.`;
  const when = nextTrySeconds === null ? now : `${stop} Next try in ${nextTrySeconds} s.`;
  return `${step} of ${workflowId}, try ${attempt}${who}${why}${when}`;
}

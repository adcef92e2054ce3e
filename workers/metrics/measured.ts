import { statfs } from 'node:fs/promises';
import { CancelledFailure } from '@temporalio/activity';
import { ApplicationFailure, type MetricMeter } from '@temporalio/common';
import type { ActivityInboundCallsInterceptor, ActivityInterceptorsFactory } from '@temporalio/worker';
import { isFailureCode } from '../../domain/base/failures/failure.js';
import { NO_LOOP } from '../../domain/metrics.js';
import { withRecorder } from '../../steps/measure.js';
import { loopOf } from '../logFields.js';
import { stepOfActivity } from './activitySteps.js';
import { recorderOf } from './recorder.js';
import { recordIterationBegin, recordIterationEnd, recordResult } from './results.js';

interface Measured {
  meter: MetricMeter;
  role: string;
  /** `PARTLOOP_HOME`, whose disk is looked at. */
  home: string;
}

/**
 * Activity interceptor around the one that casts errors: measures how long each try waited and ran, how it ended and
 * what its result tells, and gives whatever runs in it a recorder with loop, step and role.
 */
export function measured({ meter, role, home }: Measured): ActivityInterceptorsFactory {
  const recorderWith = recorderOf(meter);
  const running = new Map<string, number>();
  const count = (place: string, by: 1 | -1): number => {
    const now = (running.get(place) ?? 0) + by;
    if (now === 0) running.delete(place);
    else running.set(place, now);
    return now;
  };
  return ({ info }) => ({
    inbound: {
      async execute(input, next): Promise<unknown> {
        // It waits for another workflow, and costs nothing.
        if (info.activityType === 'joinWorkflow') return next(input);
        const loop = loopOf(info.workflowExecution?.workflowId ?? '', input.args) ?? NO_LOOP;
        const step = stepOfActivity(info.activityType);
        const record = recorderWith({ loop, step, role });
        const place = `${loop} ${step}`;
        record('partloop_activities_running', count(place, 1));
        record(
          'partloop_queue_wait_seconds',
          Math.max(0, Date.now() - info.currentAttemptScheduledTimestampMs) / 1_000,
        );
        const startedAt = performance.now();
        const ended = (outcome: string): void =>
          record('partloop_activity_seconds', (performance.now() - startedAt) / 1_000, { outcome });
        try {
          const result = await withRecorder(record, () => next(input));
          ended('done');
          recordResult(result, record);
          if (info.activityType === 'recordIteration') recordIterationEnd(input.args[0], record);
          if (info.activityType === 'prepareIteration') recordIterationBegin(record);
          return result;
        } catch (error) {
          const isCancelled = error instanceof CancelledFailure;
          ended(isCancelled ? 'cancelled' : 'failed');
          if (!isCancelled) record('partloop_failures_total', 1, { code: codeOf(error) });
          throw error;
        } finally {
          record('partloop_activities_running', count(place, -1));
          await freeBytes(home, (bytes) => record('partloop_disk_free_bytes', bytes));
        }
      },
    } satisfies ActivityInboundCallsInterceptor,
  });
}

const codeOf = (error: unknown): string =>
  error instanceof ApplicationFailure && isFailureCode(error.type) ? error.type : 'other';

/** A disk that cannot be asked is told by the work itself. */
async function freeBytes(home: string, tell: (bytes: number) => void): Promise<void> {
  try {
    const { bavail, bsize } = await statfs(home);
    tell(bavail * bsize);
  } catch {}
}

import { hostname } from 'node:os';
import { CompleteAsyncError } from '@temporalio/activity';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure, TemporalFailure } from '@temporalio/common';
import type { ActivityInboundCallsInterceptor, ActivityInterceptorsFactory } from '@temporalio/worker';
import { PartloopError } from '../domain/base/errors.js';
import { FAILURES, isFailureCode } from '../domain/base/failures/failure.js';
import { machineFault } from '../domain/base/failures/machineFault.js';
import { boundedFailure } from './failureSize.js';
import { withInput } from './logFields.js';
import { codeOf, countUnexpected, forgetUnexpected, givenUp, type Tried } from './unexpected.js';

/** The activity that met an error. */
export interface Place {
  role: string;
  host: string;
}

/**
 * Activity interceptor: every error leaves an activity as an `ApplicationFailure` whose type is our code and whose
 * retry follows `domain/base/failures/failure.ts`. Cancellations and Temporal's own failures pass unchanged, since the
 * server needs them. Faults of the machine are told apart from all others, and `onEnd` gets the end of each activity.
 */
export const castErrors =
  (role: string, onEnd: (fault: PartloopError | null) => void = () => undefined): ActivityInterceptorsFactory =>
  ({ info: { workflowExecution, activityId, attempt } }) => {
    const activity = [workflowExecution?.workflowId, workflowExecution?.runId, activityId].join(' ');
    return {
      inbound: {
        async execute(input, next): Promise<unknown> {
          try {
            const result = await withInput(input.args, () => next(input));
            onEnd(null);
            forgetUnexpected(activity);
            return result;
          } catch (error) {
            if (!isTemporals(error)) onEnd(machineFault(error));
            const seen = isTemporals(error) ? 0 : countUnexpected(activity, machineFault(error) ?? error);
            throw castError(error, { role, host: hostname() }, { attempt, seen });
          }
        },
      } satisfies ActivityInboundCallsInterceptor,
    };
  };

/**
 * The error to throw to Temporal for `error`. Unexpected errors are given up after some attempts: they fail the
 * iteration with a sentence instead of being retried forever.
 */
export function castError(error: unknown, { role, host }: Place, tried: Tried = { attempt: 1, seen: 1 }): unknown {
  if (error instanceof ApplicationFailure) return castFailure(error);
  if (isTemporals(error)) return error;
  // A workflow's answer to an update says itself whether another attempt helps.
  if (error instanceof WorkflowUpdateFailedError && error.cause instanceof ApplicationFailure)
    return castFailure(error.cause);
  const fault = machineFault(error);
  const known = fault ?? error;
  const code = codeOf(known);
  const end = givenUp(code, tried);
  const own = known instanceof PartloopError ? known.hint : undefined;
  const message = known instanceof Error ? known.message : String(known);
  const { actor, retry } = FAILURES[code];
  return boundedFailure({
    type: code,
    // A fault in the data is the same on every machine.
    message: fault !== null ? `${role} worker on ${host}: ${message}` : message,
    hint: [own, end].filter((text) => text != null).join(' ') || null,
    nonRetryable: end !== null || !retry,
    details: { code, actor, role, host },
    cause: error instanceof Error ? (error.cause instanceof Error ? error.cause : error) : null,
  });
}

const isTemporals = (error: unknown): boolean =>
  error instanceof CancelledFailure || error instanceof TemporalFailure || error instanceof CompleteAsyncError;

/** A failure with its own type keeps it; a failure that is too large to be stored is cut. */
function castFailure(failure: ApplicationFailure): ApplicationFailure {
  if (sizeOf(failure) <= SMALL_BYTES) return failure;
  const [first] = failure.details ?? [];
  const hint = typeof first === 'object' && first !== null && 'hint' in first ? first.hint : null;
  return boundedFailure({
    type: failure.type ?? 'internal',
    message: failure.message,
    hint: typeof hint === 'string' ? hint : null,
    nonRetryable: failure.nonRetryable ?? false,
    details: { code: isFailureCode(failure.type) ? failure.type : null },
    cause: failure.cause ?? null,
  });
}

/** A smaller failure is stored whole. */
const SMALL_BYTES = 3_000;

/** Bytes of a failure with all its causes, as far as they matter here. */
function sizeOf(failure: Error): number {
  let bytes = 0;
  for (let cause: unknown = failure; cause instanceof Error && bytes <= SMALL_BYTES; cause = cause.cause) {
    const { details, type } = cause as { details?: unknown; type?: unknown };
    bytes += Buffer.byteLength(`${cause.message}${cause.stack}${type}${JSON.stringify(details)}`) + 100;
  }
  return bytes;
}

import { CompleteAsyncError } from '@temporalio/activity';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure, TemporalFailure } from '@temporalio/common';
import type { ActivityInboundCallsInterceptor, ActivityInterceptorsFactory } from '@temporalio/worker';
import { PartloopError } from '../domain/errors.js';
import { FAILURES, type FailureCode } from '../domain/failure.js';

/** Failures travel through histories and the UI; a stderr tail must not blow them up. */
const MAX_MESSAGE_CHARS = 2_000;

/**
 * Activity interceptor: every error leaves an activity as an `ApplicationFailure` whose type is our code and whose
 * retry follows `domain/failure.ts`. Cancellations and Temporal's own failures pass untouched, since the server needs
 * them as they are.
 *
 * Add to a worker: `interceptors: { activity: [castErrors] }`.
 */
export const castErrors: ActivityInterceptorsFactory = () => ({
  inbound: {
    async execute(input, next): Promise<unknown> {
      try {
        return await next(input);
      } catch (error) {
        throw castError(error);
      }
    },
  } satisfies ActivityInboundCallsInterceptor,
});

/** What to throw to Temporal for `error`. */
export function castError(error: unknown): unknown {
  if (error instanceof CancelledFailure || error instanceof TemporalFailure || error instanceof CompleteAsyncError)
    return error;
  // What a workflow answered to an update says itself whether asking again helps.
  if (error instanceof WorkflowUpdateFailedError && error.cause instanceof ApplicationFailure) return error.cause;
  const code: FailureCode = error instanceof PartloopError ? error.code : 'internal';
  const hint = error instanceof PartloopError ? error.hint : undefined;
  const message = error instanceof Error ? error.message : String(error);
  return ApplicationFailure.create({
    message: withHint(message, hint),
    type: code,
    nonRetryable: !FAILURES[code].retry,
    details: [{ code, actor: FAILURES[code].actor, hint: hint ?? null }],
    ...(error instanceof Error ? { cause: shortCause(error) } : {}),
  });
}

function withHint(message: string, hint: string | undefined): string {
  const tail = hint === undefined ? '' : `\n${hint}`;
  const room = MAX_MESSAGE_CHARS - Math.min(tail.length, MAX_MESSAGE_CHARS / 2);
  return shorten(message, room) + tail.slice(0, MAX_MESSAGE_CHARS / 2);
}

/** The end of a message says more than its middle: keep the head and the tail. */
function shorten(text: string, room: number): string {
  if (text.length <= room) return text;
  const head = Math.floor(room / 3);
  return `${text.slice(0, head)} … ${text.slice(text.length - (room - head - 3))}`;
}

/** The cause keeps its stack for the maintainer, without its own message a second time. */
function shortCause(error: Error): Error {
  const cause = error.cause instanceof Error ? error.cause : error;
  const short = new Error(shorten(cause.message, MAX_MESSAGE_CHARS));
  short.name = cause.name;
  short.stack = shorten(cause.stack ?? '', MAX_MESSAGE_CHARS);
  return short;
}

import { CompleteAsyncError } from '@temporalio/activity';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure, TemporalFailure } from '@temporalio/common';
import type { ActivityInboundCallsInterceptor, ActivityInterceptorsFactory } from '@temporalio/worker';
import { PartloopError } from '../domain/errors.js';
import { FAILURES, type FailureCode } from '../domain/failure.js';

/** Failures travel through histories and the UI; a stderr tail must not blow them up. */
const MAX_MESSAGE_CHARS = 2_000;

/** Tries of an activity that keeps failing by an error that nobody expected: with the back-off, about five minutes. */
const MAX_UNEXPECTED = 10;
/** So many of them in this process: after a long outage, the attempt's number says nothing of them. */
const MIN_SEEN_HERE = 3;
const MAX_COUNTED = 1_000;

/** Faults of the network as Node names them, wherever they come up: they pass, and are tried again without end. */
const NETWORK_FAULTS = new Set([
  ...['ECONNRESET', 'ECONNREFUSED', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN'],
  ...['ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_SOCKET', 'UND_ERR_CONNECT_TIMEOUT'],
]);
/** The same as gRPC numbers them: deadline, resources, aborted, unavailable. */
const GRPC_FAULTS = new Set([4, 8, 10, 14]);

/** An attempt at an activity, as far as its errors go. */
export interface Tried {
  /** From 1. */
  attempt: number;
  /** Unexpected errors of this activity in this process, this one included. */
  seen: number;
}

/**
 * Activity interceptor: every error leaves an activity as an `ApplicationFailure` whose type is our code and whose
 * retry follows `domain/failure.ts`. Cancellations and Temporal's own failures pass untouched, since the server needs
 * them as they are.
 *
 * Add to a worker: `interceptors: { activity: [castErrors] }`.
 */
export const castErrors: ActivityInterceptorsFactory = ({ info }) => {
  const { workflowExecution, activityId, attempt } = info;
  const activity = [workflowExecution?.workflowId, workflowExecution?.runId, activityId].join(' ');
  return {
    inbound: {
      async execute(input, next): Promise<unknown> {
        try {
          const result = await next(input);
          unexpected.delete(activity);
          return result;
        } catch (error) {
          throw castError(error, { attempt, seen: codeOf(error) === 'internal' ? countUnexpected(activity) : 0 });
        }
      },
    } satisfies ActivityInboundCallsInterceptor,
  };
};

/** Unexpected errors in this process by activity, the longest known first. */
const unexpected = new Map<string, number>();

function countUnexpected(activity: string): number {
  const seen = (unexpected.get(activity) ?? 0) + 1;
  const [oldest] = unexpected.keys();
  if (unexpected.size >= MAX_COUNTED && oldest !== undefined) unexpected.delete(oldest);
  unexpected.set(activity, seen);
  return seen;
}

/** What kind of error it is; `internal` for one that nobody expected. */
function codeOf(error: unknown): FailureCode {
  if (error instanceof PartloopError) return error.code;
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const code = 'code' in cause ? cause.code : undefined;
    if ((typeof code === 'string' && NETWORK_FAULTS.has(code)) || (typeof code === 'number' && GRPC_FAULTS.has(code)))
      return 'stack-unavailable';
  }
  return 'internal';
}

/**
 * What to throw to Temporal for `error`. One that nobody expected is given up after some tries: it fails its iteration with a
 * sentence instead of being tried for ever.
 */
export function castError(error: unknown, { attempt, seen }: Tried = { attempt: 1, seen: 1 }): unknown {
  if (error instanceof CancelledFailure || error instanceof TemporalFailure || error instanceof CompleteAsyncError)
    return error;
  // What a workflow answered to an update says itself whether asking again helps.
  if (error instanceof WorkflowUpdateFailedError && error.cause instanceof ApplicationFailure) return error.cause;
  const code = codeOf(error);
  const isGivenUp = code === 'internal' && attempt >= MAX_UNEXPECTED && seen >= MIN_SEEN_HERE;
  const own = error instanceof PartloopError ? error.hint : undefined;
  const hint = isGivenUp ? givenUp(attempt, own) : own;
  const message = error instanceof Error ? error.message : String(error);
  return ApplicationFailure.create({
    message: withHint(message, hint),
    type: code,
    nonRetryable: isGivenUp || !FAILURES[code].retry,
    details: [{ code, actor: FAILURES[code].actor, hint: hint ?? null }],
    ...(error instanceof Error ? { cause: shortCause(error) } : {}),
  });
}

function givenUp(attempts: number, hint: string | undefined): string {
  const again = '`partloop loop retry LOOP` (or `partloop scan resume SCAN`) tries again from here';
  return `${hint === undefined ? '' : `${hint} `}Given up after ${attempts} attempts. ${again}; if it fails again, report it with the worker's log.`;
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

import { PartloopError } from '../domain/base/errors.js';
import type { FailureCode } from '../domain/base/failures/failure.js';

/** Attempts at an activity that keeps failing by an unexpected error: with the back-off, about five minutes. */
const MAX_UNEXPECTED = 10;
/** Limit for such errors in this process: after a long outage, the attempt's number tells nothing about them. */
const MIN_SEEN_HERE = 3;
const MAX_COUNTED = 1_000;

/** Node's names of network faults, wherever they occur: they are transient, and are retried without end. */
const NETWORK_FAULTS = new Set([
  ...['ECONNRESET', 'ECONNREFUSED', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN'],
  ...['ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_SOCKET', 'UND_ERR_CONNECT_TIMEOUT'],
]);
/** The same as gRPC numbers them: deadline, resources, aborted, unavailable. */
const GRPC_FAULTS = new Set([4, 8, 10, 14]);

/** The error history of an attempt at an activity. */
export interface Tried {
  /** Number of the attempt, counted from 1. */
  attempt: number;
  /** Unexpected errors of this activity in this process, including this one. */
  seen: number;
}

/** What kind of error it is; `internal` for one that nobody expected. */
export function codeOf(error: unknown): FailureCode {
  if (error instanceof PartloopError) return error.code;
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const code = 'code' in cause ? cause.code : undefined;
    if ((typeof code === 'string' && NETWORK_FAULTS.has(code)) || (typeof code === 'number' && GRPC_FAULTS.has(code)))
      return 'stack-unavailable';
  }
  return 'internal';
}

/** The message if an unexpected error is given up, so that it fails its iteration; null if it is retried. */
export function givenUp(code: FailureCode, { attempt, seen }: Tried): string | null {
  if (code !== 'internal' || attempt < MAX_UNEXPECTED || seen < MIN_SEEN_HERE) return null;
  const again = '`partloop loop retry LOOP` (or `partloop scan resume SCAN`) tries again from here';
  return `Given up after ${attempt} attempts. ${again}; if it fails again, report it with the worker's log.`;
}

/** Unexpected errors in this process by activity, the oldest first. */
const unexpected = new Map<string, number>();

/** Count an error of an activity; the count so far if it is one that nobody expected, else 0. */
export function countUnexpected(activity: string, error: unknown): number {
  if (codeOf(error) !== 'internal') return 0;
  const seen = (unexpected.get(activity) ?? 0) + 1;
  const [oldest] = unexpected.keys();
  if (unexpected.size >= MAX_COUNTED && oldest !== undefined) unexpected.delete(oldest);
  unexpected.set(activity, seen);
  return seen;
}

/** An activity succeeded: its earlier errors no longer count. */
export const forgetUnexpected = (activity: string): void => void unexpected.delete(activity);

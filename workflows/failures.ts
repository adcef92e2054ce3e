import { ApplicationFailure, isCancellation } from '@temporalio/workflow';
import { PartloopError } from '../domain/base/errors.js';
import { FAILURES, type FailureCode } from '../domain/base/failures/failure.js';
import { rootFailure } from '../domain/base/failures/rootFailure.js';
import { withHint } from '../domain/base/failures/withHint.js';

/**
 * Run pure code; an expected error fails the workflow with its message instead of retrying the workflow task forever.
 */
export function orFail<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof PartloopError)) throw error;
    throw failureOf(error.code, error.message, error.hint ?? null);
  }
}

/**
 * A failure with one of our codes, as a workflow throws it. The UI shows only the message, so the hint is its last
 * line. Without a stack trace: the UI would show the message again above it, and it says nothing to whoever has to act.
 */
export function failureOf(code: FailureCode, message: string, hint: string | null): ApplicationFailure {
  const { retry, actor } = FAILURES[code];
  const failure = ApplicationFailure.create({
    type: code,
    message: withHint(message, hint),
    nonRetryable: !retry,
    details: [{ code, actor, hint }],
  });
  failure.stack = '';
  return failure;
}

/** What an activity refused, in its own words. */
export async function plainly<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw inOwnWords(error);
  }
}

/**
 * The failure as it was thrown, if it has one of our codes. The UI shows the outermost failure first, or it alone, and
 * that says "Activity task failed" for all of them.
 */
export function inOwnWords(error: unknown): unknown {
  const { code, message, hint } = rootFailure(error);
  return isCancellation(error) || code === null ? error : failureOf(code, message, hint);
}

/** The message that says what happened to which object. */
export const rootMessage = (error: unknown): string => rootFailure(error).message;

/** True if the innermost application failure has this code. */
export function hasCode(error: unknown, code: FailureCode): boolean {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof ApplicationFailure && cause.type === code) return true;
  }
  return false;
}

/** True if the same work may succeed at another attempt. */
export function mayPass(error: unknown): boolean {
  const { code, ended } = rootFailure(error);
  return !ended && (code === null || FAILURES[code].retry);
}

/** True if a person's input is at fault, so that the same would fail again; other faults may pass. */
export function isFaultOfData(error: unknown): boolean {
  const { code } = rootFailure(error);
  return code !== null && FAILURES[code].actor === 'user';
}

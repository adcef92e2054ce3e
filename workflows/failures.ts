import { ApplicationFailure } from '@temporalio/workflow';
import { PartloopError } from '../domain/errors.js';
import { FAILURES, isFailureCode } from '../domain/failure.js';

/** Run pure code; an expected error fails the workflow with its message instead of retrying the workflow task for ever. */
export function orFail<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof PartloopError)) throw error;
    throw ApplicationFailure.create({
      type: error.code,
      message: error.hint === undefined ? error.message : `${error.message} ${error.hint}`,
      nonRetryable: !FAILURES[error.code].retry,
      details: [{ code: error.code, actor: FAILURES[error.code].actor, hint: error.hint ?? null }],
    });
  }
}

/**
 * The message that says what happened to which object: that of the innermost failure with one of our codes. What lies
 * below it is the cause as a library words it.
 */
export function rootMessage(error: unknown): string {
  let message = 'unknown error';
  let isOurs = false;
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const own = cause instanceof ApplicationFailure && isFailureCode(cause.type);
    if (own || !isOurs) message = cause.message;
    isOurs ||= own;
  }
  return message.slice(0, 2_000);
}

/** True where the innermost application failure has this code. */
export function hasCode(error: unknown, code: keyof typeof FAILURES): boolean {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof ApplicationFailure && cause.type === code) return true;
  }
  return false;
}

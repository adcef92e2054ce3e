import { ApplicationFailure } from '@temporalio/workflow';
import { PartloopError } from '../domain/errors.js';
import { FAILURES } from '../domain/failure.js';

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
    });
  }
}

/** The innermost message of a failure chain: the one that says what happened. */
export function rootMessage(error: unknown): string {
  let message = 'unknown error';
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) message = cause.message;
  return message.slice(0, 2_000);
}

/** True where the innermost application failure has this code. */
export function hasCode(error: unknown, code: keyof typeof FAILURES): boolean {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof ApplicationFailure && cause.type === code) return true;
  }
  return false;
}

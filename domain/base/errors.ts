import type { FailureCode } from './failures/failure.js';

/**
 * An expected error, written for the person who reads it.
 *
 * `message` says what happened and to which file or id; `hint` says what to do. `code` decides whether a retry makes
 * sense and who must act (`domain/base/failures/failure.ts`).
 */
export class PartloopError extends Error {
  readonly code: FailureCode;
  readonly hint: string | undefined;

  constructor(code: FailureCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'PartloopError';
    this.code = code;
    this.hint = options.hint;
  }
}

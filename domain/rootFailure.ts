import { z } from 'zod';
import { type FailureCode, isFailureCode } from './failure.js';

/** What happened, as whoever threw it said it. */
export interface RootFailure {
  /** Null where nothing on the way carried one of our codes. */
  code: FailureCode | null;
  message: string;
  hint: string | null;
}

const MAX_MESSAGE = 2_000;
const detailsSchema = z.tuple([z.looseObject({ hint: z.string().nullable() })]).rest(z.unknown());

/**
 * The innermost failure with one of our codes, as it was before it travelled through Temporal. What lies below it is the cause
 * as a library words it. Without any such, the innermost message there is.
 */
export function rootFailure(error: unknown): RootFailure {
  let found: RootFailure = { code: null, message: 'unknown error', hint: null };
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const code = 'type' in cause && isFailureCode(cause.type) ? cause.type : null;
    if (code !== null) found = { code, message: cause.message, hint: hintOf(cause) };
    else if (found.code === null) found = { ...found, message: cause.message };
  }
  return { ...found, message: found.message.slice(0, MAX_MESSAGE) };
}

function hintOf(failure: Error): string | null {
  const details = detailsSchema.safeParse('details' in failure ? failure.details : undefined);
  return details.success ? details.data[0].hint : null;
}

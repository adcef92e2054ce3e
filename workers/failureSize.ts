import { ApplicationFailure } from '@temporalio/common';
import { withHint } from '../domain/base/failures/withHint.js';

/**
 * The Temporal service keeps up to 4 KiB of the last failure of an activity that is retried; instead of a larger one
 * people read "Failure exceeds size limit". These bounds leave room for framing; all count bytes of UTF-8.
 */
const MESSAGE_BYTES = 2_000;
const HINT_BYTES = 500;
const CAUSE_BYTES = 200;
const STACK_BYTES = 500;

/** The parts of an application failure of any size. */
export interface FailureParts {
  type: string;
  message: string;
  hint: string | null;
  nonRetryable: boolean;
  /** Small facts for programs, beside the hint. */
  details: Readonly<Record<string, string | number | null>>;
  /** The first member of its chain stays, as the place of the failure. */
  cause: Error | null;
}

/**
 * A failure that is stored and shown whole, whatever its source. The UI shows only the message, so the hint is in it
 * too, and stays whole if the message is cut.
 */
export function boundedFailure({
  type,
  message,
  hint,
  nonRetryable,
  details,
  cause,
}: FailureParts): ApplicationFailure {
  const shortHint = hint === null ? null : shorten(hint, HINT_BYTES);
  const tail = Buffer.byteLength(withHint(message, shortHint)) - Buffer.byteLength(message);
  const failure = ApplicationFailure.create({
    type: shorten(type, CAUSE_BYTES),
    message: withHint(shorten(message, MESSAGE_BYTES - tail), shortHint),
    nonRetryable,
    details: [{ ...details, hint: shortHint }],
    ...(cause === null ? {} : { cause: boundedCause(cause) }),
  });
  // It would name the place of the translation, which is always here.
  failure.stack = '';
  return failure;
}

/** For the maintainer the cause keeps its place, but not its own causes. */
function boundedCause(cause: Error): Error {
  const bounded = new Error(shorten(cause.message, CAUSE_BYTES));
  bounded.name = shorten(cause.name, CAUSE_BYTES);
  const frames = (cause.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  bounded.stack = shorten(frames.join('\n'), STACK_BYTES);
  return bounded;
}

/** The end of a text tells more than its middle: keep the head and the tail, in this many bytes of UTF-8. */
export function shorten(text: string, bytes: number): string {
  if (Buffer.byteLength(text) <= bytes) return text;
  const room = bytes - Buffer.byteLength(' … ');
  const whole = Buffer.from(text);
  const head = whole.subarray(0, Math.floor(room / 3)).toString();
  const tail = whole.subarray(whole.length - (room - Math.floor(room / 3))).toString();
  // A letter that was cut in two becomes U+FFFD.
  return `${head.replace(/\uFFFD+$/, '')} … ${tail.replace(/^\uFFFD+/, '')}`;
}

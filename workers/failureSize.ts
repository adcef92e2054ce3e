import { ApplicationFailure } from '@temporalio/common';

/**
 * The Temporal service keeps up to 4 KiB of the last failure of an activity that is tried again; of a larger one people
 * read "Failure exceeds size limit" instead. These bounds leave room for framing; all count bytes of UTF-8.
 */
const MESSAGE_BYTES = 2_000;
const HINT_BYTES = 500;
const CAUSE_BYTES = 200;
const STACK_BYTES = 500;

/** What an application failure is made of, of any size. */
export interface FailureParts {
  type: string;
  message: string;
  hint: string | null;
  nonRetryable: boolean;
  /** Small facts for programs, beside the hint. */
  details: Readonly<Record<string, string | number | null>>;
  /** Of its chain the first member stays, as the place where it happened. */
  cause: Error | null;
}

/**
 * A failure that is stored and shown whole, whatever it was made from. The UI shows the message alone, so the hint
 * stands in it too, and stays whole where the message is cut.
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
  const tail = shortHint === null || message.endsWith(shortHint) ? '' : `\n${shortHint}`;
  const failure = ApplicationFailure.create({
    type: shorten(type, CAUSE_BYTES),
    message: shorten(message, MESSAGE_BYTES - Buffer.byteLength(tail)) + tail,
    nonRetryable,
    details: [{ ...details, hint: shortHint }],
    ...(cause === null ? {} : { cause: boundedCause(cause) }),
  });
  // It would say where an error was translated, which is always here.
  failure.stack = '';
  return failure;
}

/** The cause keeps where it happened for the maintainer, not its own causes. */
function boundedCause(cause: Error): Error {
  const bounded = new Error(shorten(cause.message, CAUSE_BYTES));
  bounded.name = shorten(cause.name, CAUSE_BYTES);
  const frames = (cause.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  bounded.stack = shorten(frames.join('\n'), STACK_BYTES);
  return bounded;
}

/** The end of a text says more than its middle: keep the head and the tail, in so many bytes of UTF-8. */
export function shorten(text: string, bytes: number): string {
  if (Buffer.byteLength(text) <= bytes) return text;
  const room = bytes - Buffer.byteLength(' … ');
  const whole = Buffer.from(text);
  const head = whole.subarray(0, Math.floor(room / 3)).toString();
  const tail = whole.subarray(whole.length - (room - Math.floor(room / 3))).toString();
  // A letter that was cut in two reads as U+FFFD.
  return `${head.replace(/\uFFFD+$/, '')} … ${tail.replace(/^\uFFFD+/, '')}`;
}

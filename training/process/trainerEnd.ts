import { PartloopError } from '../../domain/base/errors.js';
import { TRAINER_EXITS, trainerExitName } from '../../domain/train/exit.js';
import type { ErrorMessage } from './protocol.js';

/** Largest part of the trainer's output in an error. */
const SHOWN_CHARS = 1_000;

export interface TrainerEnd {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  /** The end of its output for people: stderr, and lines of stdout that are no messages. */
  stderrTail: string;
  stdoutTail: string;
  /** Used and total memory if the kernel killed for lack of memory; otherwise null. */
  shortage: string | null;
  /** The trainer's own error, if it could report one. */
  error: ErrorMessage | null;
  /** The reason why this process stopped it: a hung or garbled trainer; null if it ended by itself or by `signal`. */
  fault: PartloopError | null;
}

/** The error to throw for a trainer that did not finish; `null` if it did. */
export function trainerFailure(end: TrainerEnd): PartloopError | null {
  if (end.fault !== null) return end.fault;
  const name = trainerExitName(end.exitCode);
  const { failure } = TRAINER_EXITS[name];
  if (failure === null) return null;
  const printed = lastWords(end);
  const cause = new Error(printed);
  if (end.shortage !== null) {
    return new PartloopError('out-of-memory', `memory ran out and the kernel killed the trainer: ${end.shortage}`, {
      hint: MEMORY_HINT,
      cause,
    });
  }
  const how = end.exitCode === null ? `was killed (${end.signal ?? 'by a signal'})` : `ended with code ${end.exitCode}`;
  const said = end.error?.message ?? `the trainer ${how}`;
  // An expected end explains itself; the output explains a crash.
  const message = name === 'internal' ? `${said}; its last output:\n${printed.slice(-SHOWN_CHARS)}` : said;
  const hint = end.error?.hint || (end.signal === 'SIGKILL' ? KILLED_HINT : undefined);
  return new PartloopError(failure, message, { ...(hint === undefined ? {} : { hint }), cause });
}

const MEMORY_HINT =
  'Give the train worker more memory, or end other programs there. A smaller `train.batchSize` or `train.imageSize` needs less, but starts the training again.';
const KILLED_HINT =
  'Another process or the kernel killed it. The kernel does so if memory runs out, and its log says so.';

/** The end of a trainer's output, stderr first. */
export const lastWords = ({ stderrTail, stdoutTail }: Pick<TrainerEnd, 'stderrTail' | 'stdoutTail'>): string =>
  [stderrTail, stdoutTail === '' ? '' : `stdout: ${stdoutTail}`]
    .filter((part) => part !== '')
    .join('\n')
    .trim() || '(nothing)';

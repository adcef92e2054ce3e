import { PartloopError } from '../../domain/base/errors.js';
import { TRAINER_EXITS, trainerExitName } from '../../domain/train/exit.js';
import type { ErrorMessage } from './protocol.js';

/** Of what the trainer printed, in an error. */
const SHOWN_CHARS = 1_000;

export interface TrainerEnd {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  /** The last of what it printed, for people: stderr, and what of stdout is no message. */
  stderrTail: string;
  stdoutTail: string;
  /** What was held and what there was, where the kernel killed for lack of memory; null where it did not. */
  shortage: string | null;
  /** The trainer's own words, where it could say any. */
  error: ErrorMessage | null;
  /** Why it was stopped from here: a hung or garbled trainer; null where it ended by itself or by `signal`. */
  fault: PartloopError | null;
}

/** What to throw for a trainer that did not finish; `null` where it did. */
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
  // What is expected says all in its own words; a crash is understood from what was printed.
  const message = name === 'internal' ? `${said}; its last output:\n${printed.slice(-SHOWN_CHARS)}` : said;
  const hint = end.error?.hint || (end.signal === 'SIGKILL' ? KILLED_HINT : undefined);
  return new PartloopError(failure, message, { ...(hint === undefined ? {} : { hint }), cause });
}

const MEMORY_HINT =
  'Give the train worker more memory, or end other programs there. A smaller `train.batchSize` or `train.imageSize` needs less, but starts the training again.';
const KILLED_HINT =
  'Another process or the kernel killed it. The kernel does so if memory runs out, and its log says so.';

/** The last of what a trainer printed, stderr first. */
export const lastWords = ({ stderrTail, stdoutTail }: Pick<TrainerEnd, 'stderrTail' | 'stdoutTail'>): string =>
  [stderrTail, stdoutTail === '' ? '' : `stdout: ${stdoutTail}`]
    .filter((part) => part !== '')
    .join('\n')
    .trim() || '(nothing)';

import { PartloopError } from '../../domain/base/errors.js';
import { FAILURES } from '../../domain/base/failures/failure.js';
import type { ImportEntry, ImportItem, ImportNotice, Origin } from '../../formats/reading/importItem.js';
import type { readCandidate } from './candidate.js';
import type { Candidate } from './decide.js';

const IN_PARALLEL = 6;

/** What became of one entry when it was read. */
export type Outcome = { index: number; fileName: string; origin: Origin | null } & (
  | { candidate: Candidate; notes: string[] }
  | { removed: true }
  | { reason: string }
  | { notice: ImportNotice }
);

interface Reading {
  onProgress(done: number): void;
  signal: AbortSignal | undefined;
  /** Entries that an earlier run settled, by their place: they are not read again. */
  isSettled(index: number): boolean;
  /** Outcomes in the order of the entries. */
  take(outcome: Outcome): Promise<void>;
}

/**
 * Read entries, several at a time, and hand over what became of them in their order. A fault that is not an entry's
 * own, and an interruption, end the reading; what was read by then is handed over still.
 */
export async function readEntries(
  entries: AsyncIterable<ImportEntry> | Iterable<ImportEntry>,
  work: (item: ImportItem) => ReturnType<typeof readCandidate>,
  { onProgress, signal, isSettled, take }: Reading,
): Promise<{ error: unknown } | null> {
  const iterator = toIterator(entries);
  const waiting = new Map<number, Outcome | null>();
  let fault: { error: unknown } | null = null;
  let taken = 0;
  let given = 0;
  let done = 0;
  let handingOver: Promise<void> = Promise.resolve();
  const handOver = async (): Promise<void> => {
    for (let outcome = waiting.get(given); outcome !== undefined; outcome = waiting.get(given)) {
      waiting.delete(given++);
      if (outcome !== null) await take(outcome);
    }
  };
  const lane = async (): Promise<void> => {
    while (fault === null) {
      if (signal?.aborted === true) throw new PartloopError('interrupted', 'the import was interrupted');
      const next = await iterator.next();
      if (next.done) return;
      const index = taken++;
      waiting.set(index, isSettled(index) ? null : await outcomeOf(index, next.value, work));
      onProgress(++done);
      handingOver = handingOver.then(handOver);
      await handingOver;
    }
  };
  const guarded = (): Promise<void> =>
    lane().catch((error: unknown) => {
      fault ??= { error };
    });
  await Promise.all(Array.from({ length: IN_PARALLEL }, guarded));
  // Whoever ends early lets go of what the entries are read from.
  await iterator.return();
  // Behind an entry that failed others may have been read: their order among each other still stands.
  const rest = [...waiting].sort(([a], [b]) => a - b);
  for (const [, outcome] of rest)
    if (outcome !== null)
      await take(outcome).catch((error: unknown) => {
        fault ??= { error };
      });
  return fault;
}

async function outcomeOf(
  index: number,
  entry: ImportEntry,
  work: (item: ImportItem) => ReturnType<typeof readCandidate>,
): Promise<Outcome> {
  if ('notice' in entry) return { index, fileName: '', origin: null, notice: entry };
  const { fileName, origin = null } = entry;
  if ('reason' in entry) return { index, fileName, origin, reason: entry.reason };
  try {
    return { index, fileName, origin, ...(await work(entry)) };
  } catch (error) {
    if (isEverybodys(error)) throw error;
    return { index, fileName, origin, reason: error instanceof Error ? error.message : String(error) };
  }
}

/** A fault of the store or the machine would meet every image; any other is the image's own. */
export const isEverybodys = (error: unknown): boolean =>
  error instanceof PartloopError && error.code !== 'internal' && FAILURES[error.code].actor === 'operator';

interface Reader<T> {
  next(): Promise<IteratorResult<T>>;
  return(): Promise<void>;
}

function toIterator<T>(items: AsyncIterable<T> | Iterable<T>): Reader<T> {
  const iterator = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  return {
    next: async () => iterator.next(),
    return: async () => {
      await iterator.return?.();
    },
  };
}

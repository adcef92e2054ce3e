import { counted } from '../../domain/base/counted.js';
import { PartloopError } from '../../domain/base/errors.js';
import { FAILURES } from '../../domain/base/failures/failure.js';
import type { IndexRow } from '../../domain/tables.js';
import type { Taxonomy } from '../../domain/taxonomy.js';
import type { ImportEntry, ImportItem, ImportNotice, ImportReport } from '../../formats/importItem.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { PoolHistory } from '../../storage/poolHistory.js';
import { LabelKeeper } from '../labelKeeper.js';
import { type CandidateContext, readCandidate } from './candidate.js';
import { type Candidate, type DecideOptions, type Decision, decide } from './decide.js';
import { DECODE_HERE, type ImportDecoder } from './decoder.js';
import { chooseDefaults, type PreparedPool, preparePool } from './preparePool.js';
import { testLeakNotices } from './testLeaks.js';

const IN_PARALLEL = 6;
/**
 * Largest number of images per segment, and their longest wait for one: an import that ends early loses at most these.
 */
const SEGMENT_IMAGES = 5_000;
const SEGMENT_MS = 60_000;

export interface ImportOptions extends Partial<DecideOptions> {
  onProgress(done: number): void;
  now: Date;
  /** Decoder of pictures and masks; in this process if omitted. */
  decoder?: ImportDecoder;
  /** Stops after the current images; images read by then are kept. */
  signal?: AbortSignal | undefined;
}

/** The outcome of reading one entry. */
type Outcome = { fileName: string } & (
  | { candidate: Candidate; notes: string[] }
  | { removed: true }
  | { reason: string }
  | { notice: ImportNotice }
);

/**
 * Import images into a pool. A bad image is refused with its reason and never stops the rest; of equal pictures the
 * first one counts. Images are added in segments during the import, so an import that ends early keeps them, and
 * continues there if it is run again. `decide` tells what is new.
 *
 * @throws PartloopError `config-invalid` if the pool has other classes; faults of the store, after the images read so
 * far are kept
 */
export async function importImages(
  store: ObjectStore,
  poolName: string,
  taxonomy: Taxonomy,
  entries: AsyncIterable<ImportEntry> | Iterable<ImportEntry>,
  options: ImportOptions,
): Promise<ImportReport> {
  const prepared = await preparePool(store, poolName, taxonomy);
  const history = (await prepared.pool?.history()) ?? new PoolHistory();
  const { test = false, relabel = false, restore = false, now, decoder = DECODE_HERE } = options;
  const labels = new LabelKeeper(store, history);
  const context: CandidateContext = { store, pool: poolName, taxonomy, history, labels, decoder, test, restore, now };
  const report = await emptyReport(poolName, prepared);
  const segments = new SegmentedImport(prepared, history, labels, report, { test, relabel, restore });

  const fault = await readAll(entries, (item) => readCandidate(item, context), {
    onProgress: options.onProgress,
    signal: options.signal,
    take: (outcome) => segments.take(outcome),
  });
  await segments.flush().catch((error: unknown) => {
    throw fault?.error ?? error;
  });
  if (fault !== null) throw interruption(fault.error, report);
  segments.tellNotes();
  if (prepared.pool !== null) {
    const images = (await prepared.pool.history()).images();
    report.notices.push(...testLeakNotices(images, (imageId) => segments.had(imageId)));
    await chooseDefaults(store, poolName, images.filter(({ split }) => split === 'train').length);
  }
  return report;
}

async function emptyReport(name: string, { pool, notices }: PreparedPool): Promise<ImportReport> {
  return {
    pool: name,
    version: (await pool?.latestVersion()) ?? 0,
    ...{ added: 0, replaced: 0, updated: 0, restored: 0, known: 0 },
    split: { train: 0, val: 0, test: 0, drawn: 0 },
    ...{ kept: [], removed: [], movedToTest: [], refused: [], unlabelled: [], notices: [...notices] },
  };
}

/** Adds outcomes of entries to the report, and new images to the pool in segments. */
class SegmentedImport {
  /** The first picture of each id in this import. */
  private readonly first = new Map<string, Pick<IndexRow, 'fileName' | 'labelSha256'>>();
  private readonly pending: Candidate[] = [];
  private readonly notes: string[] = [];
  private flushedAt = Date.now();

  constructor(
    private readonly prepared: PreparedPool,
    /** The pool as it was when the import began. */
    private readonly history: PoolHistory,
    private readonly labels: LabelKeeper,
    private readonly report: ImportReport,
    private readonly options: DecideOptions,
  ) {}

  /** Whether this picture was among those read so far. */
  had(imageId: string): boolean {
    return this.first.has(imageId);
  }

  async take(outcome: Outcome): Promise<void> {
    const { fileName } = outcome;
    if ('notice' in outcome) this.report.notices.push(outcome.notice);
    else if ('reason' in outcome) this.report.refused.push({ fileName, reason: outcome.reason });
    else if ('removed' in outcome) this.report.removed.push(fileName);
    else this.takeCandidate(fileName, outcome.candidate, outcome.notes);
    if (this.isFull()) await this.flush();
  }

  /** Add the waiting images to the pool. */
  async flush(): Promise<void> {
    this.flushedAt = Date.now();
    if (this.pending.length === 0) return;
    const candidates = this.pending.splice(0);
    let decisions: Decision[] = [];
    const plan = (known: PoolHistory) => {
      decisions = candidates.map((candidate) => decide(known, candidate, this.options));
      return decisions.flatMap(({ row }) => row ?? []).sort((a, b) => (a.imageId < b.imageId ? -1 : 1));
    };
    // A new pool is made only with its first rows.
    const pool = this.prepared.pool ?? (plan(this.history).length > 0 ? await this.prepared.make() : null);
    if (pool !== null) {
      this.prepared.pool = pool;
      const { version, rows } = await pool.append(plan);
      this.report.version = version;
      await this.labels.settle(rows);
    }
    for (const [index, decision] of decisions.entries()) count(this.report, candidates[index] as Candidate, decision);
  }

  /** Add the problems found in annotations to the report, as one notice. */
  tellNotes(): void {
    if (this.notes.length === 0) return;
    this.report.notices.push({
      notice: 'annotations that cover no pixel',
      count: this.notes.length,
      examples: this.notes.slice(0, 5),
    });
  }

  private takeCandidate(fileName: string, candidate: Candidate, notes: readonly string[]): void {
    const { imageId, labelSha256 } = candidate.row;
    const twin = this.first.get(imageId);
    if (twin === undefined) {
      this.first.set(imageId, { fileName, labelSha256 });
      this.pending.push(candidate);
      for (const note of notes) this.notes.push(`${fileName}: ${note}`);
    } else {
      const other = twin.labelSha256 === labelSha256 ? '' : ' with another label: the first one counts';
      this.report.refused.push({ fileName, reason: `duplicate of ${twin.fileName}${other}` });
    }
  }

  private isFull(): boolean {
    return this.pending.length >= SEGMENT_IMAGES || Date.now() - this.flushedAt > SEGMENT_MS;
  }
}

function count(report: ImportReport, { row, facts }: Candidate, decision: Decision): void {
  const { fileName } = row;
  if (decision.outcome === 'refused') report.refused.push({ fileName, reason: decision.reason });
  else if (decision.outcome === 'removed') report.removed.push(fileName);
  else {
    report[decision.outcome] += 1;
    if (decision.outcome === 'added') {
      report.split[row.split] += 1;
      if (row.split === 'val' && facts.split === null) report.split.drawn += 1;
    }
    if (decision.kept !== null) report.kept.push({ fileName, reason: decision.kept });
    if (decision.movedToTest) report.movedToTest.push(fileName);
    if (decision.unlabelled) report.unlabelled.push(fileName);
  }
}

interface Reading {
  onProgress(done: number): void;
  signal: AbortSignal | undefined;
  /** Outcomes in the order of the entries. */
  take(outcome: Outcome): Promise<void>;
}

/**
 * Read entries, several at a time, and hand over their outcomes in order. A fault that is not an entry's own, and an
 * interruption, end the reading; outcomes read by then are still handed over.
 */
async function readAll(
  entries: AsyncIterable<ImportEntry> | Iterable<ImportEntry>,
  work: (item: ImportItem) => ReturnType<typeof readCandidate>,
  { onProgress, signal, take }: Reading,
): Promise<{ error: unknown } | null> {
  const iterator = toIterator(entries);
  const waiting = new Map<number, Outcome>();
  let fault: { error: unknown } | null = null;
  let taken = 0;
  let given = 0;
  let done = 0;
  let handingOver: Promise<void> = Promise.resolve();
  const handOver = async (): Promise<void> => {
    for (let outcome = waiting.get(given); outcome !== undefined; outcome = waiting.get(given)) {
      waiting.delete(given++);
      await take(outcome);
    }
  };
  const lane = async (): Promise<void> => {
    while (fault === null) {
      if (signal?.aborted === true) throw new PartloopError('interrupted', 'the import was interrupted');
      const next = await iterator.next();
      if (next.done) return;
      const index = taken++;
      waiting.set(index, await outcomeOf(next.value, work));
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
  // Entries after a failed one may have been read: their order among each other stays.
  const rest = [...waiting].sort(([a], [b]) => a - b);
  for (const [, outcome] of rest)
    await take(outcome).catch((error: unknown) => {
      fault ??= { error };
    });
  return fault;
}

async function outcomeOf(
  entry: ImportEntry,
  work: (item: ImportItem) => ReturnType<typeof readCandidate>,
): Promise<Outcome> {
  if ('notice' in entry) return { fileName: '', notice: entry };
  const { fileName } = entry;
  if ('reason' in entry) return entry;
  try {
    return { fileName, ...(await work(entry)) };
  } catch (error) {
    if (isEverybodys(error)) throw error;
    return { fileName, reason: error instanceof Error ? error.message : String(error) };
  }
}

/** A fault of the store or the machine would meet every image; any other is the image's own. */
const isEverybodys = (error: unknown): boolean =>
  error instanceof PartloopError && error.code !== 'internal' && FAILURES[error.code].actor === 'operator';

/** The fault that ended an import, with the images imported until then. */
function interruption(error: unknown, { pool, version, ...report }: ImportReport): unknown {
  const { added, replaced, updated, restored } = report;
  const brought = added + replaced + updated + restored;
  if (!(error instanceof PartloopError) || (brought === 0 && !isEverybodys(error))) return error;
  const kept =
    brought === 0 ? '' : `; ${counted(brought, 'image is', 'images are')} already in pool ${pool}, version ${version}`;
  return new PartloopError(error.code, `${error.message}${kept}`, {
    hint: error.hint ?? 'Run the same command again: it goes on with the missing images.',
    cause: error,
  });
}

function toIterator<T>(items: AsyncIterable<T> | Iterable<T>): { next(): Promise<IteratorResult<T>> } {
  const iterator = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  return { next: async () => iterator.next() };
}

import type { Thumbnail } from '../../domain/draw/samePicture.js';
import type { IndexRow } from '../../domain/tables.js';
import type { ImportReport } from '../../formats/reading/importItem.js';
import type { PoolHistory } from '../../storage/pool/poolHistory.js';
import type { LabelKeeper } from '../labelKeeper.js';
import { type Candidate, type DecideOptions, type Decision, decide } from './decide.js';
import type { PreparedPool } from './preparePool.js';
import type { Outcome } from './readEntries.js';
import { countIn, NOTHING_ELSE, type Settled } from './settled.js';

/** Images in a segment at most, and how long they wait for one: what an import that ends early has lost. */
const SEGMENT_IMAGES = 5_000;
const SEGMENT_MS = 60_000;
/** A reason may quote what a file says, which may be of any length. */
const MAX_REASON = 1_000;

/** An image that a segment would bring into a pool, or whose row it would change. */
export interface Incoming {
  row: IndexRow;
  thumbnail: Thumbnail;
  /** The pool does not have it now. */
  isNew: boolean;
}

/**
 * Why images must not come into a pool that knows so much: image id -> reason, without those that may.
 *
 * @throws faults of the store
 */
export type Guard = (known: PoolHistory, incoming: readonly Incoming[]) => Promise<ReadonlyMap<string, string>>;

export interface SegmentOptions extends DecideOptions {
  /** Asked for every segment, and again if another writer was first. */
  guard: Guard;
  /** Told what is settled for good, after each segment. */
  onSettled?: ((settled: readonly Settled[]) => Promise<void>) | undefined;
}

type Pending = Omit<Extract<Outcome, { candidate: Candidate }>, 'removed'>;

/** Takes what became of entries into the report, and new images into the pool by segments. */
export class SegmentedImport {
  /** The first picture of each id in this import. */
  private readonly first = new Map<string, { fileName: string; labelSha256: string }>();
  private readonly known = new Set<number>();
  private readonly pending: Pending[] = [];
  private readonly notes: string[] = [];
  /** Settled, and not told yet. */
  private untold: Settled[] = [];
  private flushedAt = Date.now();

  constructor(
    private readonly prepared: PreparedPool,
    /** The pool as it was when the import began. */
    private readonly history: PoolHistory,
    private readonly labels: LabelKeeper,
    private readonly report: ImportReport,
    private readonly options: SegmentOptions,
  ) {}

  /** Ids of the pictures that were read so far. */
  imported(): Iterable<string> {
    return this.first.keys();
  }

  /** Whether an earlier run settled the entry at this place. */
  isSettled(index: number): boolean {
    return this.known.has(index);
  }

  /** What an earlier run of this import settled: it is counted, and not read again. */
  resume(earlier: readonly Settled[]): void {
    for (const settled of earlier) {
      if (this.known.has(settled.index)) continue;
      this.known.add(settled.index);
      const { image, fileName } = settled;
      if (image !== null) this.first.set(image.imageId, { fileName, labelSha256: image.labelSha256 });
      this.count(settled);
    }
    this.untold = [];
  }

  async take(outcome: Outcome): Promise<void> {
    if ('notice' in outcome) this.report.notices.push(outcome.notice);
    else if ('reason' in outcome) this.settle(outcome, { outcome: 'refused', reason: outcome.reason });
    else if ('removed' in outcome) this.settle(outcome, { outcome: 'removed' });
    else this.takeCandidate(outcome);
    if (this.isFull()) await this.flush();
  }

  /** Bring what waits into the pool. */
  async flush(): Promise<void> {
    this.flushedAt = Date.now();
    await this.append(this.pending.splice(0));
    if (this.untold.length === 0) return;
    await this.options.onSettled?.(this.untold);
    this.untold = [];
  }

  /** Put what reading the annotations has shown into the report, as one notice. */
  tellNotes(): void {
    if (this.notes.length === 0) return;
    this.report.notices.push({
      notice: 'annotations that cover no pixel',
      count: this.notes.length,
      examples: this.notes.slice(0, 5),
    });
  }

  private async append(pending: readonly Pending[]): Promise<void> {
    if (pending.length === 0) return;
    let decisions: Decision[] = [];
    const plan = async (known: PoolHistory) => {
      decisions = await this.guarded(
        known,
        pending.map(({ candidate }) => decide(known, candidate, this.options)),
        pending,
      );
      return decisions.flatMap(({ row }) => row ?? []).sort((a, b) => (a.imageId < b.imageId ? -1 : 1));
    };
    // A pool that is not there yet is made with its first rows alone.
    const pool = this.prepared.pool ?? ((await plan(this.history)).length > 0 ? await this.prepared.make() : null);
    if (pool !== null) {
      this.prepared.pool = pool;
      const { version, rows } = await pool.append(plan);
      this.report.version = version;
      await this.labels.settle(rows);
    }
    for (const [index, decision] of decisions.entries()) {
      const entry = pending[index] as Pending;
      this.settle(entry, settlementOf(decision, entry));
    }
  }

  private async guarded(
    known: PoolHistory,
    decisions: readonly Decision[],
    pending: readonly Pending[],
  ): Promise<Decision[]> {
    const incoming = decisions.flatMap((decision, index): Incoming[] => {
      if (decision.row === null) return [];
      const { thumbnail } = (pending[index] as Pending).candidate;
      return [{ row: decision.row, thumbnail, isNew: decision.outcome === 'added' || decision.outcome === 'restored' }];
    });
    const refused = await this.options.guard(known, incoming);
    return decisions.map((decision) => {
      const reason = decision.row === null ? undefined : refused.get(decision.row.imageId);
      return reason === undefined ? decision : { outcome: 'refused', row: null, reason };
    });
  }

  private takeCandidate(entry: Pending): void {
    const { imageId, labelSha256 } = entry.candidate.row;
    const twin = this.first.get(imageId);
    if (twin === undefined) {
      this.first.set(imageId, { fileName: entry.fileName, labelSha256 });
      this.pending.push(entry);
      return;
    }
    const other = twin.labelSha256 === labelSha256 ? '' : ' with another label: the first one counts';
    this.settle(entry, { outcome: 'refused', reason: `duplicate of ${twin.fileName}${other}` });
  }

  private settle(
    { index, fileName, origin }: Pick<Outcome, 'index' | 'fileName' | 'origin'>,
    what: Pick<Settled, 'outcome'> & Partial<Settled>,
  ): void {
    const reason = what.reason?.slice(0, MAX_REASON) ?? null;
    this.count({ ...NOTHING_ELSE, index, fileName, origin, ...what, reason });
  }

  private count(settled: Settled): void {
    countIn(this.report, settled);
    for (const note of settled.notes) this.notes.push(`${settled.fileName}: ${note}`);
    this.untold.push(settled);
  }

  private isFull(): boolean {
    const waiting = Math.max(this.pending.length, this.untold.length);
    return waiting >= SEGMENT_IMAGES || Date.now() - this.flushedAt > SEGMENT_MS;
  }
}

function settlementOf(
  decision: Decision,
  { candidate: { row, facts }, notes }: Pending,
): Pick<Settled, 'outcome'> & Partial<Settled> {
  const image = { imageId: row.imageId, labelSha256: row.labelSha256 };
  if (decision.outcome === 'refused') return { outcome: 'refused', reason: decision.reason, image };
  if (decision.outcome === 'removed') return { outcome: 'removed', image };
  const { outcome, kept, movedToTest, unlabelled } = decision;
  const isAdded = outcome === 'added';
  return {
    ...{ outcome, reason: kept, image, movedToTest, unlabelled, notes },
    split: isAdded ? row.split : null,
    isDrawn: isAdded && row.split === 'val' && facts.split === null,
  };
}

import { PartloopError } from '../domain/base/errors.js';
import { type Batch, isLeftOver } from '../domain/board/batch.js';
import { BatchReader } from '../storage/board.js';
import type { ObjectStore } from '../storage/objects/objectStore.js';
import type { Desks } from './desks.js';

/** Newest batches of a pool that are looked at. */
const NEWEST = 500;
/** Scans that are opened in one search; the next one takes the others. */
const SCANS_AT_ONCE = 20;

/** Where what happens beside requests is told. */
export interface LeftOverLog {
  onNote(text: string): void;
  onError(error: unknown): void;
}

/**
 * Answers that wait in scans which nobody has open, since the board that took them was killed or its machine is gone.
 * They are handed in as soon as their reviewer has been away for as long as that takes on a board that runs.
 */
export class LeftOvers {
  readonly #readers = new Map<string, BatchReader>();
  /** Scans that cannot be opened, such as deleted ones: said once. */
  readonly #lost = new Set<string>();
  #searching: Promise<void> | null = null;
  #isOver = false;

  /** @param desks opened only if something waits */
  constructor(
    private readonly store: ObjectStore,
    private readonly desks: () => Promise<Desks>,
    private readonly log: LeftOverLog,
  ) {}

  /** Search all pools once; a search that is under way is not begun again. It never fails. */
  handIn(now: Date): Promise<void> {
    this.#searching ??= this.#search(now)
      .catch(this.log.onError)
      .finally(() => {
        this.#searching = null;
      });
    return this.#searching;
  }

  /** End after the scan at hand. */
  async close(): Promise<void> {
    this.#isOver = true;
    await this.#searching;
  }

  async #search(now: Date): Promise<void> {
    const waiting = new Map<string, number>();
    for await (const pool of this.store.folders('pools/')) {
      if (this.#isOver) return;
      for (const { scan, answers, audits } of await this.#leftIn(pool, now))
        waiting.set(scan, (waiting.get(scan) ?? 0) + answers.length + audits.length);
    }
    const scans = [...waiting].filter(([scan]) => !this.#lost.has(scan));
    for (const [scan, answers] of scans.slice(0, SCANS_AT_ONCE)) {
      if (this.#isOver) return;
      await this.#handInScan(scan, answers, now);
    }
  }

  async #leftIn(pool: string, now: Date): Promise<Batch[]> {
    const reader = this.#readers.get(pool) ?? new BatchReader(this.store, pool);
    this.#readers.set(pool, reader);
    const batches = await reader.read(NEWEST);
    return batches.filter((batch) => isLeftOver(batch, batches, now));
  }

  async #handInScan(scan: string, answers: number, now: Date): Promise<void> {
    try {
      await (await this.desks()).use(scan, async ({ answering }) => {
        await answering.recover(now);
        await answering.handInDue(now);
      });
      this.log.onNote(`scan ${scan}: handed in answers that a board had left waiting: ${answers}`);
    } catch (error) {
      if (error instanceof PartloopError && error.code === 'not-found') this.#lost.add(scan);
      this.log.onError(error);
    }
  }
}

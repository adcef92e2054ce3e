import { isCancellation, patched, setCurrentDetails, sleep } from '@temporalio/workflow';
import type { ScanProgress } from '../../domain/scan/progress.js';
import { isFaultOfData, rootMessage } from '../failures.js';

/** Number of shards of one run: keeps a run's history below 2,000 events. */
const SHARDS_PER_RUN = 250;
/** Histories from before failed shards were tried again. */
const FAILED_SHARDS_AGAIN = 'failed-shards-again';
/**
 * Wait before failed shards are tried again: expired credentials and refusing buckets are often repaired within
 * minutes.
 */
const WAITS = ['1 minute', '5 minutes', '15 minutes'] as const;

/** The first shard of a run, and the failed shards of earlier runs. */
interface Shards {
  shards: number;
  next: number;
  failed: readonly number[];
  folds: readonly unknown[];
}

interface Limits {
  maxShardsInFlight: number;
  minShardSuccess: number;
}

/**
 * Judges the shards of a scan, a bounded number at once: each lane takes the next index, notes a shard that keeps
 * failing and continues. Shards that failed are tried again at the end, or as soon as too many failed for the scan to
 * succeed without them.
 */
export class ShardLanes {
  readonly #judge: (shard: number) => Promise<unknown>;
  readonly #limits: Limits;
  readonly #progress: ScanProgress;
  readonly #shards: number;
  readonly #folds: number;
  /** Failed shards, with the reason if this run saw it. */
  readonly #failed: Map<number, unknown>;
  /** The shard before which this run ends. */
  readonly #end: number;
  #next: number;
  #again: number[] = [];
  /** So many failed that the rest is pointless to judge before the outcome of these is known. */
  #isHalted = false;

  constructor(from: Shards, limits: Limits, progress: ScanProgress, judge: (shard: number) => Promise<unknown>) {
    this.#judge = judge;
    this.#limits = limits;
    this.#progress = progress;
    this.#shards = from.shards;
    this.#folds = from.folds.length;
    this.#failed = new Map(from.failed.map((shard) => [shard, null]));
    this.#next = from.next;
    this.#end = Math.min(from.shards, from.next + SHARDS_PER_RUN);
    progress.shards = { done: from.next - this.#failed.size, total: from.shards };
  }

  /** The first shard of the next run, or null if all were taken. */
  get nextRun(): number | null {
    return this.#end < this.#shards ? this.#end : null;
  }

  /** Shards that failed and were given up, in the order of their failures. */
  get failed(): number[] {
    return [...this.#failed.keys()];
  }

  /**
   * Judge the shards of this run, and those that failed once more.
   *
   * @throws the last failure if too few shards succeed
   */
  async run(): Promise<void> {
    await this.#judgeAll();
    for (let round = 0; round < WAITS.length && this.#failed.size > 0 && this.#isTimeForFailed(); round++) {
      if (!patched(FAILED_SHARDS_AGAIN)) break;
      if (!(await this.#tryFailed(round))) break;
    }
    if (this.#isHalted) throw this.#lastError();
  }

  #isTimeForFailed(): boolean {
    return this.nextRun === null || this.#isHalted;
  }

  /** Another attempt at the shards that are worth it, after a wait; false if there are none. */
  async #tryFailed(round: number): Promise<boolean> {
    const worth = [...this.#failed].flatMap(([shard, error]) => (round === 0 || !isFaultOfData(error) ? [shard] : []));
    // The shards that an interrupted round did not reach are still to do.
    this.#again = [...this.#again, ...worth];
    if (this.#again.length === 0) return false;
    const wait = WAITS[round] ?? '1 minute';
    const error = this.#lastError();
    const why = error === undefined ? 'see the failed activities' : rootMessage(error);
    setCurrentDetails(`${this.#failed.size} of ${this.#shards} shards failed and are tried again in ${wait}: ${why}`);
    await sleep(wait);
    for (const shard of worth) this.#failed.delete(shard);
    this.#isHalted = false;
    await this.#judgeAll();
    return true;
  }

  async #judgeAll(): Promise<void> {
    const left = this.#again.length + this.#end - this.#next;
    const lanes = Math.min(this.#limits.maxShardsInFlight, Math.max(1, left));
    await Promise.all(Array.from({ length: lanes }, () => this.#lane()));
  }

  async #lane(): Promise<void> {
    for (let shard = this.#take(); shard !== null; shard = this.#take()) {
      try {
        await this.#judge(shard);
        this.#progress.shards.done += 1;
      } catch (error) {
        this.#note(shard, error);
      }
      setCurrentDetails(
        `${this.#next} of ${this.#shards} shards taken, ${this.#failed.size} failed, ${this.#folds} folds trained`,
      );
    }
  }

  /** A shard failed: the scan continues without it while enough can succeed. */
  #note(shard: number, error: unknown): void {
    if (isCancellation(error)) throw error;
    this.#failed.set(shard, error);
    setCurrentDetails(`Shard ${shard} failed: ${rootMessage(error)}`);
    if (1 - this.#failed.size / this.#shards >= this.#limits.minShardSuccess) return;
    if (isFaultOfData(error) || !patched(FAILED_SHARDS_AGAIN)) throw error;
    this.#isHalted = true;
  }

  #take(): number | null {
    if (this.#isHalted) return null;
    return this.#again.shift() ?? (this.#next < this.#end ? this.#next++ : null);
  }

  #lastError(): unknown {
    return [...this.#failed.values()].findLast((error) => error !== null);
  }
}

import type { Amount, Kind } from '../../domain/cleanup/kinds.js';
import type { FailedDelete } from '../../storage/objects/objectStore.js';
import type { Cutoffs, OpenWork, Unreadable } from './garbage.js';

export interface Sweep {
  cutoffs: Cutoffs;
  /** Asked before anything is looked for, and again before the objects of each loop are deleted. */
  openWork(): Promise<OpenWork>;
  /** Take shards too: only a reset of a workflow that has ended would read them, and it can judge again. */
  withShards: boolean;
  /** Take reduced pictures of sizes that no loop trains on too: whoever needs them makes them again. */
  withCopies: boolean;
  /** Delete what is found; otherwise it is only counted. */
  isFinal: boolean;
  /** Objects that were found so far. */
  onProgress?(objects: number): void;
  /** So many loops and scans were looked at, of so many. What it throws ends the sweep between two of them. */
  onLoop?(done: number, total: number): void;
}

/** Objects of one kind that belong to a loop or scan, or lie in a folder of the store. */
export interface OwnAmount extends Amount {
  loop: string;
}

/** What a part of a sweep found. */
export interface Found {
  amounts: OwnAmount[];
  unreadable: Unreadable[];
  /** Objects that are still there although they were to be deleted. */
  failed: FailedDelete[];
}

/** Counts what goes, by whose it is and by kind. */
export class Tally {
  readonly #amounts = new Map<string, OwnAmount>();
  readonly #sweep: Pick<Sweep, 'onProgress'>;
  #objects = 0;

  constructor(sweep: Pick<Sweep, 'onProgress'>) {
    this.#sweep = sweep;
  }

  add(loop: string, kind: Kind, bytes: number): void {
    const id = `${loop} ${kind}`;
    const amount = this.#amounts.get(id) ?? { loop, kind, objects: 0, bytes: 0 };
    this.#amounts.set(id, { ...amount, objects: amount.objects + 1, bytes: amount.bytes + bytes });
    this.#sweep.onProgress?.(++this.#objects);
  }

  get amounts(): OwnAmount[] {
    return [...this.#amounts.values()];
  }
}

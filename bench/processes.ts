import { readFileSync, writeFileSync } from 'node:fs';
import { childrenOf, coreSecondsOf, peakMegabytes } from './proc.js';

const SAMPLE_MS = 500;

/** What a program cost while it was watched, with the processes that it started. */
export interface Cost {
  process: string;
  /** Seconds of a core, user and system. */
  coreSeconds: number;
  /** Largest resident memory of one of its processes. */
  peakMegabytes: number;
}

interface Seen {
  name: string;
  /** Processor time when it was first seen: none of this measurement. */
  before: number;
  seconds: number;
  peak: number;
}

/** Samples processes while they run; those that end keep their last figures. Linux alone. */
export class ProcessWatch {
  readonly #seen = new Map<number, Seen>();
  readonly #timer: NodeJS.Timeout;

  /** @param roots names and ids of programs, asked for anew with each sample: some are started again */
  constructor(private readonly roots: () => readonly (readonly [name: string, pid: number])[]) {
    this.#sample();
    // What runs already has a history: only what it does from now on counts.
    for (const [pid, seen] of this.#seen) {
      seen.before = seen.seconds;
      seen.peak = 0;
      resetPeak(pid);
    }
    this.#timer = setInterval(() => this.#sample(), SAMPLE_MS);
  }

  /** Stop watching; the costs by program, the dearest first. */
  end(): Cost[] {
    clearInterval(this.#timer);
    this.#sample();
    const costs = new Map<string, Cost>();
    for (const { name, before, seconds, peak } of this.#seen.values()) {
      const cost = costs.get(name) ?? { process: name, coreSeconds: 0, peakMegabytes: 0 };
      cost.coreSeconds += seconds - before;
      cost.peakMegabytes = Math.max(cost.peakMegabytes, peak);
      costs.set(name, cost);
    }
    return [...costs.values()].sort((a, b) => b.coreSeconds - a.coreSeconds);
  }

  #sample(): void {
    for (const [name, pid] of this.roots()) this.#look(name, pid);
  }

  #look(name: string, pid: number): void {
    const seconds = coreSecondsOf(pid);
    if (seconds === null) return;
    const seen = this.#seen.get(pid) ?? { name, before: 0, seconds: 0, peak: 0 };
    seen.seconds = seconds;
    seen.peak = Math.max(seen.peak, peakMegabytes(pid));
    this.#seen.set(pid, seen);
    for (const child of childrenOf(pid)) this.#look(`${name}, ${programOf(child)}`, child);
  }
}

function resetPeak(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, '5');
  } catch {
    // Then its peak is that since it began.
  }
}

function programOf(pid: number): string {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return /([^/]+?)(?:Main)?\.js$/.exec(words.find((word) => word.endsWith('.js')) ?? '')?.[1] ?? 'helper';
  } catch {
    return 'helper';
  }
}

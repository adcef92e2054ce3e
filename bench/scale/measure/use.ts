import { readState } from '../../../infra/stack/state.js';
import { childrenOf, coreSecondsOf, peakMegabytes } from '../../proc.js';

const EVERY_MS = 1_000;

/** What a process took of the machine. */
export interface Use {
  peakMegabytes: number;
  /** Processor time, without that of processes that it started. */
  coreSeconds: number;
}

/**
 * The largest memory and the processor time of every process of a home's stack, looked up every second. A server may
 * run as the child of a guard. Processes that a worker starts for a moment, such as a trainer, do not count.
 */
export class StackUse {
  readonly processes: Record<string, Use> = {};
  /** Processor time of all processes together, by time. */
  readonly #samples: { time: number; coreSeconds: number }[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(private readonly home: string) {
    this.#timer = setInterval(() => this.look(), EVERY_MS);
    this.#timer.unref();
  }

  look(): void {
    const state = readState(this.home);
    if (state === null) return;
    const pids = Object.entries(state.processes).map(([name, { process }]) => [name, process?.pid ?? 0] as const);
    for (const [name, pid] of [...pids, ['supervisor', state.supervisor?.pid ?? 0] as const]) {
      const own = name.startsWith('worker-') || name === 'supervisor' ? [pid] : [pid, ...childrenOf(pid)];
      this.note(name, {
        peakMegabytes: Math.max(...own.map(peakMegabytes)),
        coreSeconds: own.reduce((sum, one) => sum + (coreSecondsOf(one) ?? 0), 0),
      });
    }
    const coreSeconds = Object.values(this.processes).reduce((sum, use) => sum + use.coreSeconds, 0);
    this.#samples.push({ time: Date.now(), coreSeconds });
  }

  /** A process that starts again counts from nought: only its longer life is kept. */
  note(name: string, use: Use): void {
    const so = this.processes[name];
    this.processes[name] = {
      peakMegabytes: Math.max(so?.peakMegabytes ?? 0, use.peakMegabytes),
      coreSeconds: Math.max(so?.coreSeconds ?? 0, use.coreSeconds),
    };
  }

  /** Processor time of the stack between two moments, as ms of the epoch. */
  coreSeconds(from: number, to: number): number {
    const at = (moment: number): number =>
      this.#samples.findLast(({ time }) => time <= moment)?.coreSeconds ?? this.#samples[0]?.coreSeconds ?? 0;
    return at(to) - at(from);
  }

  end(): void {
    clearInterval(this.#timer);
  }
}

import type { ChildProcess } from 'node:child_process';
import { existsSync, renameSync, statSync } from 'node:fs';
import type { SupervisedState } from '../stack/state.js';
import { type GuardedCommand, spawnGuarded } from './guard.js';
import { type LastWords, lastWords } from './lastWords.js';
import { isAlive, type ProcessRef, refOf, signalProcess, waitForEnd } from './processes.js';

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 30_000;
/** A missing requirement is seldom fixed within seconds, and each check takes a few. */
const FIRST_DELAY_UNFIT_MS = 5_000;
const LONGEST_DELAY_UNFIT_MS = 60_000;
/** A process that ran this long was healthy: its next end starts again with the first delay. */
const HEALTHY_MS = 60_000;
const LOG_LIMIT_BYTES = 20 * 1024 * 1024;

/** One program of the stack: started again whenever it ends by itself, until it is told to stop. */
export class Supervised {
  readonly name: string;
  readonly #command: GuardedCommand;
  readonly #onChange: () => void;
  #process: ProcessRef | null = null;
  #timer: NodeJS.Timeout | null = null;
  #stopping = false;
  #failuresInRow = 0;
  #restarts = 0;
  #lastExit: string | null = null;
  #lastWords: LastWords | null = null;

  constructor(name: string, command: GuardedCommand, onChange: () => void) {
    this.name = name;
    this.#command = command;
    this.#onChange = onChange;
  }

  get state(): SupervisedState {
    return {
      process: this.#process,
      restarts: this.#restarts,
      lastExit: this.#lastExit,
      lastWords: this.#lastWords,
    };
  }

  /** Number of ends in a row without a longer run. */
  get failuresInRow(): number {
    return this.#failuresInRow;
  }

  get logFile(): string {
    return this.#command.logFile;
  }

  start(): void {
    rotate(this.#command.logFile);
    const logStart = existsSync(this.#command.logFile) ? statSync(this.#command.logFile).size : 0;
    const startedAt = performance.now();
    const child = spawnGuarded(this.#command);
    this.#process = child.pid === undefined ? null : refOf(child.pid);
    const ended = (what: string): void => {
      this.#lastWords = lastWords(this.#command.logFile, logStart);
      this.#ended(what, performance.now() - startedAt);
    };
    watch(child, ended);
    this.#onChange();
  }

  #ended(what: string, ranMs: number): void {
    this.#process = null;
    this.#lastExit = what;
    if (!this.#stopping) {
      this.#failuresInRow = ranMs > HEALTHY_MS ? 1 : this.#failuresInRow + 1;
      const isUnfit = this.#lastWords?.code === 'setup-incomplete';
      const [first, longest] = isUnfit
        ? [FIRST_DELAY_UNFIT_MS, LONGEST_DELAY_UNFIT_MS]
        : [FIRST_DELAY_MS, LONGEST_DELAY_MS];
      const delay = Math.min(longest, first * 2 ** (this.#failuresInRow - 1));
      this.#timer = setTimeout(() => {
        this.#restarts += 1;
        this.start();
      }, delay);
    }
    this.#onChange();
  }

  /** Ask it to end, wait `graceMs`, then kill it. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    const running = this.#process;
    if (!isAlive(running)) return;
    signalProcess(running, 'SIGTERM');
    if (await waitForEnd(running, graceMs)) return;
    signalProcess(running, 'SIGKILL');
    await waitForEnd(running, 5000);
  }

  /** End it at once; a `stop` that waits then returns. */
  kill(): void {
    this.#stopping = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#process !== null) signalProcess(this.#process, 'SIGKILL');
  }
}

function watch(child: ChildProcess, ended: (what: string) => void): void {
  let isOver = false;
  const once = (what: string): void => {
    if (isOver) return;
    isOver = true;
    ended(what);
  };
  child.once('error', (error) => once(error.message));
  child.once('exit', (code, signal) => once(signal ?? `exit code ${code}`));
}

/** Keep one older log beside the current one, so that a stack that runs for months does not fill the disk. */
function rotate(path: string): void {
  if (existsSync(path) && statSync(path).size > LOG_LIMIT_BYTES) renameSync(path, `${path}.1`);
}

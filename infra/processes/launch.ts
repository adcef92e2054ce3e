import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PartloopError } from '../../domain/base/errors.js';
import { homePaths, makeHome, ROOT } from '../home.js';
import { readState } from '../stack/state.js';
import { isElsewhere, KernelLock, type LockHolder, livingHolder } from './lock.js';
import { isAlive, refOf, signalProcess, waitForEnd } from './processes.js';

const START_TIMEOUT_MS = 120_000;
/** A stack that stops may take as long as its workers need to save. */
const STOP_TIMEOUT_MS = 220_000;
const INTERRUPTED_GRACE_MS = 20_000;
const POLL_MS = 50;
/** Least free space with which a server of the stack starts. */
const FULL_BYTES = 20e6;
/** Exit code of a supervisor if another one holds the stack: its starter then waits for that one. */
export const ALREADY_RUNNING_EXIT_CODE = 75;
const INTERRUPTS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The supervisor of a home that has the lock; null if none lives. */
export function supervisorOf(home: string): LockHolder | null {
  const holder = livingHolder(homePaths(home).lock);
  if (holder !== null) return holder;
  const named = readState(home)?.supervisor;
  return isAlive(named) ? named : null;
}

/** Whether a command is starting a stack in this home now: its supervisor may not be visible yet. */
export function isLaunching(home: string): boolean {
  const { launchLock } = homePaths(home);
  if (!existsSync(launchLock)) return false;
  const lock = KernelLock.tryTake(launchLock);
  lock?.release();
  return lock === null;
}

/**
 * Start the supervisor in the background, and wait until the stack is ready. If several commands start at the same
 * time, one launches and the others wait for it. It also waits for a stopping stack. `signal` undoes the start, as
 * Ctrl-C does for a caller without its own handler.
 */
export async function launchSupervisor(
  home: string,
  { say = () => {}, signal }: { say?: (text: string) => void; signal?: AbortSignal } = {},
): Promise<void> {
  makeHome(home);
  if (signal !== undefined) return new Launch(home, say, signal).run();
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort();
  for (const signal of INTERRUPTS) process.on(signal, interrupt);
  try {
    await new Launch(home, say, interrupted.signal).run();
  } finally {
    for (const signal of INTERRUPTS) process.off(signal, interrupt);
  }
}

class Launch {
  readonly #home: string;
  readonly #say: (text: string) => void;
  readonly #interrupted: AbortSignal;
  #deadline = performance.now() + START_TIMEOUT_MS;
  #waitsForStop = false;

  constructor(home: string, say: (text: string) => void, interrupted: AbortSignal) {
    this.#home = home;
    this.#say = say;
    this.#interrupted = interrupted;
  }

  async run(): Promise<void> {
    const lock = await this.#takeTurn();
    if (lock === null) return;
    let child: ChildProcess | null = null;
    try {
      while (!this.#isReady()) {
        if (this.#interrupted.aborted)
          throw new PartloopError('interrupted', 'the start of the local stack was interrupted');
        if (child !== null && child.exitCode !== ALREADY_RUNNING_EXIT_CODE) this.#mustLive(child);
        else if (supervisorOf(this.#home) === null) child = spawnDetached(this.#home);
        else this.#noticeStop();
        await this.#pause();
      }
    } catch (error) {
      if (child !== null) await endChild(child);
      throw error;
    } finally {
      lock.release();
    }
  }

  /** The launch lock; null if another command that had it made the stack ready. */
  async #takeTurn(): Promise<KernelLock | null> {
    for (;;) {
      const lock = KernelLock.tryTake(homePaths(this.#home).launchLock);
      if (lock !== null) return lock;
      if (this.#isReady()) return null;
      await this.#pause();
    }
  }

  async #pause(): Promise<void> {
    if (performance.now() > this.#deadline) {
      throw new PartloopError('stack-unavailable', 'the local stack was not ready in time', {
        hint: `Logs are in ${homePaths(this.#home).logs}.`,
      });
    }
    await sleep(POLL_MS, undefined, { signal: this.#interrupted }).catch(() => undefined);
  }

  #isReady(): boolean {
    const state = readState(this.#home);
    return state !== null && state.phase === 'ready' && isAlive(state.supervisor);
  }

  #mustLive(child: ChildProcess): void {
    if (child.exitCode === null && child.signalCode === null) return;
    const state = readState(this.#home);
    const { logs } = homePaths(this.#home);
    if (child.exitCode === 0) {
      throw new PartloopError('stack-unavailable', 'the local stack was stopped while it started', {
        hint: '`partloop up --detach` starts it again.',
      });
    }
    const why =
      state?.failure ??
      fullDisk(this.#home) ??
      `exit code ${child.exitCode ?? child.signalCode}; see ${join(logs, 'supervisor.log')}`;
    throw new PartloopError('stack-unavailable', `the local stack did not start: ${why}`, {
      hint: `Logs are in ${logs}; \`partloop doctor\` checks what it needs.`,
    });
  }

  #noticeStop(): void {
    const supervisor = supervisorOf(this.#home);
    if (supervisor !== null && isElsewhere(supervisor)) {
      throw new PartloopError(
        'stack-unavailable',
        `a stack already runs in ${this.#home} on ${supervisor.host} (process ${supervisor.pid})`,
        { hint: 'Stop it there, or set PARTLOOP_HOME to a folder of this machine.' },
      );
    }
    if (this.#waitsForStop || readState(this.#home)?.phase !== 'stopping') return;
    this.#waitsForStop = true;
    this.#deadline += STOP_TIMEOUT_MS;
    this.#say('The stack is stopping; it starts again when its workers have saved …');
  }
}

async function endChild(child: ChildProcess): Promise<void> {
  const ref = child.pid === undefined ? null : refOf(child.pid);
  if (ref === null || child.exitCode !== null) return;
  signalProcess(ref, 'SIGTERM');
  if (!(await waitForEnd(ref, INTERRUPTED_GRACE_MS))) signalProcess(ref, 'SIGKILL');
}

function spawnDetached(home: string): ChildProcess {
  const log = openSync(join(homePaths(home).logs, 'supervisor.log'), 'a', 0o600);
  try {
    const child = spawn(process.execPath, [join(ROOT, 'dist', 'infra', 'processes', 'supervisor.js')], {
      cwd: ROOT,
      detached: true,
      env: { ...process.env, PARTLOOP_HOME: home, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
      stdio: ['ignore', log, log],
    });
    child.unref();
    return child;
  } finally {
    closeSync(log);
  }
}

/** A full disk prevents a supervisor from recording its error. Null if there is room. */
function fullDisk(home: string): string | null {
  const { bavail, bsize } = statfsSync(home);
  const free = bavail * bsize;
  return free >= FULL_BYTES ? null : `the disk of ${home} is full, ${(free / 1e6).toFixed(1)} MB are free`;
}

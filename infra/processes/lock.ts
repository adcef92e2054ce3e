import { spawnSync } from 'node:child_process';
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { PartloopError } from '../../domain/base/errors.js';
import { readIfThere } from '../files.js';
import { venvBinary } from '../home.js';
import { isAlive, processRef, refOf } from './processes.js';

const holderSchema = z.object({ ...processRef.shape, host: z.string().optional() });
/** The process that a lock file names, and its machine. */
export type LockHolder = z.infer<typeof holderSchema>;

const TAKEN = 75;
const LOCK_IN_PYTHON = `
import fcntl, sys
try: fcntl.flock(3, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError: sys.exit(${TAKEN})
except OSError as error: sys.exit(str(error))`;

/** Programs that lock the file behind their descriptor 3. Node has no call for it; the lock stays when they end. */
const LOCKERS: readonly (() => readonly [string, ...string[]])[] = [
  () => ['flock', '-n', '-E', String(TAKEN), '3'],
  () => [venvBinary('python'), '-c', LOCK_IN_PYTHON],
  () => ['python3', '-c', LOCK_IN_PYTHON],
];
const RETRY_MS = 25;
/** Time for the processes of a killed holder to end; they keep its lock until then. */
const PATIENCE_MS = 30_000;

/**
 * A lock that the kernel keeps on an open file (flock). It ends when the last process that has the file open ends in
 * any way, so stale locks cannot exist. The file itself is never removed.
 */
export class KernelLock {
  readonly #path: string;
  readonly #descriptor: number;

  private constructor(path: string, descriptor: number) {
    this.#path = path;
    this.#descriptor = descriptor;
  }

  /** The lock, or null if another open file has it. */
  static tryTake(path: string): KernelLock | null {
    const descriptor = openLockFile(path);
    try {
      if (!lockDescriptor(path, descriptor)) {
        closeSync(descriptor);
        return null;
      }
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
    return new KernelLock(path, descriptor);
  }

  /** Pass it to a child process, which then keeps the lock as long as it lives. */
  get descriptor(): number {
    return this.#descriptor;
  }

  /** Write into the file that this process holds it. */
  sign(): void {
    const own = refOf(process.pid);
    if (own === null) throw new PartloopError('internal', 'this process cannot see its own start time');
    const holder: LockHolder = { ...own, host: hostname() };
    ftruncateSync(this.#descriptor);
    writeSync(this.#descriptor, JSON.stringify(holder), 0);
  }

  /** A file system may accept a lock without keeping it: make sure that this one does. */
  prove(): void {
    const second = KernelLock.tryTake(this.#path);
    if (second === null) return;
    second.release();
    throw unfit(this.#path, 'its file system keeps no locks');
  }

  /** Release it without a change to the file. */
  abandon(): void {
    closeSync(this.#descriptor);
  }

  release(): void {
    ftruncateSync(this.#descriptor);
    closeSync(this.#descriptor);
  }
}

/**
 * Take a lock for this process. If a living process holds it, the result is that process. If the holder has died, wait:
 * its children may still run, and nothing may start beside them.
 */
export async function takeLock(path: string, signal?: AbortSignal): Promise<KernelLock | LockHolder> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const lock = KernelLock.tryTake(path);
    if (lock !== null) {
      const earlier = holderOf(path);
      if (earlier !== null && !isElsewhere(earlier) && isAlive(earlier)) {
        // Versions before this one signed the file without a kernel lock.
        lock.abandon();
        return earlier;
      }
      try {
        lock.prove();
        lock.sign();
        return lock;
      } catch (error) {
        lock.release();
        throw error;
      }
    }
    const holder = livingHolder(path);
    if (holder !== null) return holder;
    if (performance.now() > deadline) {
      throw new PartloopError('stack-unavailable', `${path} is locked, but the process that it names has ended`, {
        hint: `Processes that it started still run: \`lsof ${path}\` lists them. End them and try again.`,
      });
    }
    await sleep(RETRY_MS, undefined, signal === undefined ? {} : { signal });
  }
}

/** The process that a lock file names, if it lives; one on another machine is not visible and counts as living. */
export function livingHolder(path: string): LockHolder | null {
  const holder = holderOf(path);
  if (holder === null) return null;
  return isElsewhere(holder) || isAlive(holder) ? holder : null;
}

/** Whether the holder runs on another machine (a home on a network drive), out of reach for signals. */
export function isElsewhere({ host }: LockHolder): boolean {
  return host !== undefined && host !== hostname();
}

function holderOf(path: string): LockHolder | null {
  try {
    return holderSchema.parse(JSON.parse(readIfThere(path) ?? 'null'));
  } catch {
    return null;
  }
}

function openLockFile(path: string): number {
  try {
    return openSync(path, 'a+', 0o600);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new PartloopError('setup-incomplete', `${path} cannot be opened: ${reason}`, {
      cause,
      hint: 'Set PARTLOOP_HOME to a folder of your own.',
    });
  }
}

/** Lock the open file; false if another process has it. */
function lockDescriptor(path: string, descriptor: number): boolean {
  let said = '';
  for (const locker of LOCKERS) {
    const [program, ...args] = locker();
    const { status, stderr } = spawnSync(program, args, {
      stdio: ['ignore', 'ignore', 'pipe', descriptor],
      encoding: 'utf8',
    });
    if (status === 0) return true;
    if (status === TAKEN) return false;
    said = stderr?.trim() || said;
  }
  throw unfit(path, said === '' ? 'neither flock nor Python was found' : said);
}

function unfit(path: string, why: string): PartloopError {
  return new PartloopError('setup-incomplete', `${path} cannot be locked: ${why}`, {
    hint: 'Set PARTLOOP_HOME to a folder on a disk of this machine.',
  });
}

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { readIfThere } from '../files.js';

/**
 * A process named so that a reused pid is never taken for it, nor a process of another machine or of an earlier boot.
 */
export const processRef = z.object({
  pid: z.number().int().positive(),
  startTime: z.string(),
  /** The boot of the machine (Linux); start times count from it. */
  boot: z.string().optional(),
});
export type ProcessRef = z.infer<typeof processRef>;

let knownBoot: string | null | undefined;

/** An id of one boot of one machine; null if the system gives none. */
function currentBoot(): string | null {
  knownBoot ??= process.platform === 'linux' ? (readIfThere('/proc/sys/kernel/random/boot_id')?.trim() ?? null) : null;
  return knownBoot;
}

/** Tells a supervisor to end everything at once. SIGTERM and SIGINT only ask it, however often they come. */
export const FORCE_SIGNAL = 'SIGUSR2';
const START_TIME_FIELD = 19;

/**
 * When the process started, as the system writes it (clock ticks since boot on Linux), or null if no such process runs.
 * A zombie counts as ended.
 */
export function startTimeOf(pid: number): string | null {
  if (process.platform !== 'linux') {
    const answer = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' });
    return answer.status === 0 && answer.stdout.trim() !== '' ? answer.stdout.trim() : null;
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command name may hold spaces and brackets: the fields that count start after its last bracket.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? null : (fields[START_TIME_FIELD] ?? null);
  } catch {
    return null;
  }
}

export function refOf(pid: number): ProcessRef | null {
  const startTime = startTimeOf(pid);
  if (startTime === null) return null;
  const boot = currentBoot();
  return boot === null ? { pid, startTime } : { pid, startTime, boot };
}

export function isAlive(ref: ProcessRef | null | undefined): ref is ProcessRef {
  if (ref === null || ref === undefined) return false;
  const boot = currentBoot();
  if (ref.boot !== undefined && boot !== null && ref.boot !== boot) return false;
  return startTimeOf(ref.pid) === ref.startTime;
}

/** Send a signal to exactly this process; false if it has ended. */
export function signalProcess(ref: ProcessRef, signal: NodeJS.Signals): boolean {
  if (!isAlive(ref)) return false;
  try {
    process.kill(ref.pid, signal);
    return true;
  } catch {
    return false;
  }
}

/** Wait until the process has ended; false after `timeoutMs`. */
export async function waitForEnd(ref: ProcessRef, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (isAlive(ref)) {
    if (performance.now() > deadline) return false;
    await sleep(50);
  }
  return true;
}

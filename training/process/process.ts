import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { PartloopError } from '../../domain/base/errors.js';
import { readVariables } from '../../domain/settings/variables.js';
import { MemoryWatch } from './memory.js';
import { PrintedLines } from './printedLines.js';
import { type ErrorMessage, LineSplitter, parseMessage, type TrainerMessage } from './protocol.js';
import type { TrainerEnd } from './trainerEnd.js';

const TAIL_CHARS = 2_000;
/** A stopped trainer finishes its iteration before it saves: it has time for several. */
const ITERATIONS_TO_STOP = 3;
const LONGEST_GRACE_MS = 120_000;
/** Variables passed to the trainer's environment: never S3 or Temporal credentials. */
const PASSED_ENVIRONMENT =
  /^(PATH|HOME|LANG|LC_\w+|TMPDIR|TZ|LD_LIBRARY_PATH|SSL_CERT_\w+|CUDA_\w+|NVIDIA_\w+|NCCL_\w+|ONEDNN_\w+|ATEN_\w+|HF_HOME|TORCH_HOME|XDG_CACHE_HOME|HTTPS?_PROXY|NO_PROXY)$/i;

/**
 * Threads that spin without end make a step 15 times as slow beside a busy process. Threads that never spin make it 1.5
 * times as slow on a quiet machine. A spin of a few microseconds avoids both. Memory that the allocator keeps, in huge
 * pages, saves another tenth of a step on CPU.
 */
const TRAINER_TUNING = {
  OMP_WAIT_POLICY: 'PASSIVE',
  GOMP_SPINCOUNT: '10000',
  GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1',
  MALLOC_MMAP_THRESHOLD_: '4294967296',
  MALLOC_TRIM_THRESHOLD_: '17179869184',
};

export interface TrainerRun {
  /** `train` if omitted; `lr-range` tries rising learning rates and saves nothing; `propose` answers a request. */
  command?: 'train' | 'lr-range' | 'propose';
  python: string;
  /** Folder of the package `partloop_trainer`. */
  packageRoot: string;
  job: string;
  cwd: string;
  /** Allows the trainer to reach timm's hub. */
  network: boolean;
  /** Milliseconds without a message after which the trainer counts as hung. */
  stallMs: number;
  /** Milliseconds that a stopped trainer has for its last checkpoint, beside its current iteration. */
  graceMs: number;
  /** Folder of `proc` and `sys`. */
  systemRoot?: string;
  /** Aborting it stops the trainer, which saves first. */
  signal: AbortSignal;
  onMessage(message: TrainerMessage): void;
  /** Called for each line for people: stderr, and lines of stdout that are no messages. */
  onLine?(line: string, stream: 'stdout' | 'stderr'): void;
}

/** The interpreter of the trainer: `PARTLOOP_PYTHON`, otherwise the virtual environment of this installation. */
export async function trainerPython(root: string): Promise<string> {
  const python = resolve(readVariables(process.env).PARTLOOP_PYTHON ?? join(root, '.venv', 'bin', 'python'));
  try {
    await access(python);
  } catch (cause) {
    throw new PartloopError('setup-incomplete', `there is no Python at ${python}`, {
      hint: 'Run `npm run bootstrap`, which makes it.',
      cause,
    });
  }
  return python;
}

/**
 * Run the trainer to its end of any kind; never rejects because of how the trainer ended. The child leads its own
 * process group, so that a Ctrl-C in a terminal reaches only the worker. Its stdin is a pipe that breaks if this
 * process dies.
 */
export async function runTrainer(run: TrainerRun): Promise<TrainerEnd> {
  const child = spawn(run.python, ['-m', 'partloop_trainer', run.command ?? 'train', '--job', run.job], {
    cwd: run.cwd,
    env: trainerEnvironment(process.env, run),
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let error: ErrorMessage | null = null;
  let fault: PartloopError | null = null;
  let stderrTail = '';
  let stdoutTail = '';
  let iterationMs = 0;
  const memory = child.pid === undefined ? null : new MemoryWatch(child.pid, run.systemRoot);
  let killTimer: NodeJS.Timeout | undefined;
  const stop = (graceMs: number): void => {
    signalGroup(child.pid, 'SIGTERM');
    killTimer ??= setTimeout(() => signalGroup(child.pid, 'SIGKILL'), graceMs);
  };
  const giveUp = (reason: PartloopError): void => {
    fault ??= reason;
    stop(Math.min(run.graceMs, 10_000));
  };
  const onAbort = (): void =>
    stop(Math.min(Math.max(run.graceMs, LONGEST_GRACE_MS), run.graceMs + ITERATIONS_TO_STOP * iterationMs));
  const watchdog = new Watchdog(run.stallMs, (seconds) => giveUp(stalled(seconds)));
  const lines = new LineSplitter((line) => {
    const message = parseMessage(line);
    if (message === null) {
      if (line === '') return;
      stdoutTail = `${stdoutTail}${line}\n`.slice(-TAIL_CHARS);
      return run.onLine?.(line, 'stdout');
    }
    watchdog.alive();
    if (message.type === 'progress') iterationMs = message.secondsPerIteration * 1_000;
    if (message.type === 'error') error = message;
    run.onMessage(message);
  });

  const printed = new PrintedLines((line) => run.onLine?.(line, 'stderr'));
  child.stdin.on('error', () => undefined);
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (fault !== null) return;
    try {
      lines.push(text);
    } catch (cause) {
      giveUp(
        cause instanceof PartloopError
          ? cause
          : new PartloopError('internal', `a message of the trainer could not be handled: ${String(cause)}`, { cause }),
      );
    }
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderrTail = (stderrTail + text).slice(-TAIL_CHARS);
    printed.push(text);
  });

  if (run.signal.aborted) onAbort();
  else run.signal.addEventListener('abort', onAbort, { once: true });
  try {
    await once(child, 'close');
    printed.end();
  } catch (cause) {
    fault = new PartloopError('setup-incomplete', `the trainer could not be started with ${run.python}`, {
      hint: 'Run `npm run bootstrap`.',
      cause,
    });
  } finally {
    run.signal.removeEventListener('abort', onAbort);
    watchdog.end();
    clearTimeout(killTimer);
    memory?.end();
    signalGroup(child.pid, 'SIGKILL');
  }
  const shortage = fault === null && wasKilled(child, error) ? ((await memory?.shortage()) ?? null) : null;
  const { exitCode, signalCode: signal } = child;
  return { exitCode, signal, stderrTail: withoutError(stderrTail), stdoutTail, shortage, error, fault };
}

/** Whether the trainer or one of its processes ended by a signal that cannot be caught. */
function wasKilled(
  { signalCode, exitCode }: { signalCode: NodeJS.Signals | null; exitCode: number | null },
  error: ErrorMessage | null,
): boolean {
  return signalCode === 'SIGKILL' || exitCode === 137 || (error?.message.includes('killed by SIGKILL') ?? false);
}

/** Without the trainer's last line, which repeats its error for people. */
const withoutError = (stderr: string): string => stderr.replace(/^\{"v": \d+, "type": "error".*\n?$/m, '');

function trainerEnvironment(own: NodeJS.ProcessEnv, run: TrainerRun): NodeJS.ProcessEnv {
  const passed = Object.entries(own).filter(([name]) => PASSED_ENVIRONMENT.test(name));
  return {
    ...Object.fromEntries(passed),
    PYTHONPATH: run.packageRoot,
    PYTHONUNBUFFERED: '1',
    ...TRAINER_TUNING,
    HF_HUB_OFFLINE: run.network ? '0' : '1',
  };
}

/** Signal a process group; it is no error if the group is already gone. */
function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // ESRCH: the group has ended.
  }
}

function stalled(seconds: number): PartloopError {
  return new PartloopError('trainer-stalled', `the trainer gave no sign of life for ${Math.round(seconds)} s`, {
    hint: 'A retry goes on from the last checkpoint. If it stalls again, look for a hung device or file system.',
  });
}

/** Calls `onSilence` once after `ms` without a message. */
class Watchdog {
  private timer: NodeJS.Timeout;

  constructor(
    private readonly ms: number,
    private readonly onSilence: (seconds: number) => void,
  ) {
    this.timer = this.start();
  }

  alive(): void {
    clearTimeout(this.timer);
    this.timer = this.start();
  }

  end(): void {
    clearTimeout(this.timer);
  }

  private start(): NodeJS.Timeout {
    return setTimeout(() => this.onSilence(this.ms / 1_000), this.ms);
  }
}

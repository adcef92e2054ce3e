import { setTimeout as sleep } from 'node:timers/promises';
import type { Worker } from '@temporalio/worker';
import type { Logger } from 'pino';
import type { PartloopError } from '../domain/base/errors.js';

/** Number of activities in a row that end by a fault of the machine before its worker takes no more. */
const FAULTS_IN_ROW = 3;
/** A machine that passes its checks and fails again waits longer each time, since no check sees its fault. */
const FIRST_PAUSE_MS = 30_000;
const LONGEST_PAUSE_MS = 10 * 60_000;

/** Construction and checks of the worker of one role. */
export interface Post {
  /** A worker that reports the end of each of its activities: null, or the fault of this machine. */
  create(onEnd: (fault: PartloopError | null) => void): Promise<Worker>;
  /** Rejects if this machine is not fit for the role. */
  check(): Promise<void>;
  log: Logger;
  firstPauseMs?: number;
}

/**
 * Check, then poll until `signal` aborts. After some faults of this machine in a row, its worker takes no more tasks,
 * so that others get them. It lets its current tasks end, and polls again only after it has passed the checks.
 *
 * @throws the errors of the checks
 */
export async function keepWorking(post: Post, signal: AbortSignal): Promise<void> {
  const { log, firstPauseMs = FIRST_PAUSE_MS } = post;
  for (let retreats = 0; ; retreats++) {
    await post.check();
    if (signal.aborted) return;
    const fault = await workUntilFaulty(post, signal);
    if (fault === null) return;
    log.error(
      { code: fault.code, hint: fault.hint },
      `takes no more tasks after ${FAULTS_IN_ROW} faults of this machine in a row, the last: ${fault.message}`,
    );
    const pause = Math.min(LONGEST_PAUSE_MS, firstPauseMs * 2 ** retreats);
    await sleep(pause, undefined, { signal }).catch(() => undefined);
  }
}

/** The last of too many faults in a row; null if the worker was stopped. */
async function workUntilFaulty({ create, log }: Post, signal: AbortSignal): Promise<PartloopError | null> {
  let inRow = 0;
  let tooMany: PartloopError | null = null;
  const worker = await create((fault) => {
    inRow = fault === null ? 0 : inRow + 1;
    if (fault === null || inRow < FAULTS_IN_ROW) return;
    tooMany ??= fault;
    end();
  });
  const end = (): void => {
    if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  signal.addEventListener('abort', end, { once: true });
  try {
    const running = worker.run();
    log.info({ taskQueue: worker.options.taskQueue }, 'polls for tasks');
    if (signal.aborted) end();
    await running;
  } finally {
    signal.removeEventListener('abort', end);
  }
  return signal.aborted ? null : tooMany;
}

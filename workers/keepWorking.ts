import { setTimeout as sleep } from 'node:timers/promises';
import type { Worker } from '@temporalio/worker';
import type { Logger } from 'pino';
import type { PartloopError } from '../domain/base/errors.js';

/** So many activities in a row end by a fault of the machine before its worker takes no more. */
const FAULTS_IN_ROW = 3;
/** A machine that passes its checks and faults again waits longer each time: its fault is one that no check sees. */
const FIRST_PAUSE_MS = 30_000;
const LONGEST_PAUSE_MS = 10 * 60_000;

/** How the worker of one role is made and checked. */
export interface Post {
  /** A worker that reports how each of its activities ended: null, or by which fault of this machine. */
  create(onEnd: (fault: PartloopError | null) => void): Promise<Worker>;
  /** Rejects where this machine is not fit for the role. */
  check(): Promise<void>;
  log: Logger;
  firstPauseMs?: number;
}

/**
 * Check, then poll until `signal` aborts. After some faults of this machine in a row its worker takes no more tasks,
 * which others then get, lets those at hand end, and polls again only after it has passed the checks.
 *
 * @throws what a check throws
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

/** The last of too many faults in a row; null where the worker was stopped. */
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

import { Context } from '@temporalio/activity';
import type { Progress } from '../domain/progress.js';
import { Speed } from './speed.js';

/** Interval of the timer in milliseconds, if the activity has no heartbeat timeout. */
const DEFAULT_INTERVAL_MS = 10_000;

export interface Heartbeat {
  /** The progress of a running activity for the UI and the commands; sent with the next heartbeat. */
  report(progress: Progress): void;
  /**
   * Aborts when the activity is cancelled, paused, reset, timed out, or its worker shuts down. End everything that was
   * started, then throw `signal.reason`: the server would not understand an AbortError.
   */
  readonly signal: AbortSignal;
}

/**
 * Run `work` with a heartbeat every half heartbeat timeout, for as long as it takes. With `quietAfterMs`, heartbeats
 * stop this many milliseconds after the last report, so that the server gives up an attempt without progress. A bare
 * timer hides a hung child: code that starts one must watch its progress separately (`training/process/process.ts`).
 * Outside an activity (tests, tools) it runs the work with a signal that never fires.
 */
export async function withHeartbeat<T>(
  work: (beat: Heartbeat) => Promise<T>,
  { quietAfterMs = Number.POSITIVE_INFINITY }: { quietAfterMs?: number } = {},
): Promise<T> {
  const context = currentContext();
  if (context === null) return work({ report: () => undefined, signal: new AbortController().signal });

  let details: unknown = context.info.heartbeatDetails;
  const timeout = context.info.heartbeatTimeoutMs ?? 0;
  let reportedAt = Number.POSITIVE_INFINITY;
  const interval = setInterval(
    () => {
      if (performance.now() - reportedAt <= quietAfterMs) context.heartbeat(details);
    },
    timeout > 0 ? Math.max(100, timeout / 2) : DEFAULT_INTERVAL_MS,
  );
  context.heartbeat(details);
  const speed = new Speed();
  try {
    return await work({
      report: (next) => {
        details = next;
        speed.take(next);
        reportedAt = performance.now();
        context.heartbeat(next);
      },
      signal: context.cancellationSignal,
    });
  } finally {
    clearInterval(interval);
    speed.end();
  }
}

/** Throw the reason of the cancellation if there was one; call it between the parts of long work. */
export function throwIfCancelled(signal: AbortSignal): void {
  if (signal.aborted) throw signal.reason;
}

function currentContext(): Context | null {
  try {
    return Context.current();
  } catch {
    return null;
  }
}

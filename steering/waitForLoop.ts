import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { PartloopError } from '../domain/base/errors.js';
import type { LoopStatus } from '../domain/messages.js';
import type { Step, StepResults } from '../domain/steps.js';
import { iterationProgress, loopStatus } from './loopClient.js';

const POLL_MS = 2_000;

/** Whether the loop has nothing under way: its request is done, it failed, or it waits for images or a person. */
export function isSettled(status: LoopStatus): boolean {
  return (
    status.phase === 'stopped' ||
    status.phase === 'failed' ||
    status.phase === 'waiting for images' ||
    (status.phase === 'idle' && status.remaining === 0)
  );
}

/** Poll until the loop is settled; `onProgress` sees every change. Aborting leaves the workflow running. */
export async function waitForLoop(
  client: Client,
  loop: string,
  onProgress: (status: LoopStatus, step: Step | null, results: StepResults) => void,
  signal?: AbortSignal,
): Promise<LoopStatus> {
  for (;;) {
    const status = await patiently(() => loopStatus(client, loop), signal);
    const progress = status.iteration === null ? null : await iterationProgress(client, loop, status.iteration);
    onProgress(status, progress?.step ?? null, progress?.results ?? {});
    if (isSettled(status)) return status;
    await sleep(POLL_MS, undefined, { signal });
  }
}

const PATIENCE_MS = 5 * 60_000;

/** A restart of the server or the workers must not end a wait of days. */
async function patiently<T>(ask: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  const startedAt = Date.now();
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      signal?.throwIfAborted();
      if ((error instanceof PartloopError && error.code === 'not-found') || Date.now() - startedAt > PATIENCE_MS)
        throw error;
      await sleep(POLL_MS, undefined, { signal });
    }
  }
}

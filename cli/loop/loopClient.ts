import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Client,
  isGrpcServiceError,
  ServiceError,
  WithStartWorkflowOperation,
  WorkflowFailedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from '@temporalio/client';
import type { StartedLoop } from '../../activities/loop.js';
import { PartloopError } from '../../domain/base/errors.js';
import { rootFailure } from '../../domain/base/failures/rootFailure.js';
import { withoutHint } from '../../domain/base/failures/withHint.js';
import { iterationWorkflowId, loopWorkflowId } from '../../domain/base/ids.js';
import { LIGHT_QUEUE } from '../../domain/base/queues.js';
import { recorded } from '../../domain/base/recorded.js';
import type { StartLoopRequest } from '../../domain/loop/startRequest.js';
import { storedStatus } from '../../domain/loop/status.js';
import {
  type Approval,
  type ApproveIteration,
  type IterationProgress,
  iterationProgressSchema,
  type LoopStatus,
  type PauseLoop,
  type PolicyRequest,
  type RetryIteration,
  type StopLoop,
} from '../../domain/messages.js';
import type { Step, StepResults } from '../../domain/steps.js';
import { QUERIES, UPDATES, WORKFLOWS } from '../../domain/workflowNames.js';
import { isOpen, runningIterations } from '../../steps/workflows/openWorkflows.js';
import { readLoopState } from '../../storage/loopState.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';

const POLL_MS = 2_000;

/** Start or join a loop by the same workflow that the UI and Schedules start. */
export async function startLoop(client: Client, request: Partial<StartLoopRequest>): Promise<StartedLoop> {
  await assertWorkers(client);
  const workflowId = `start:${request.loop ?? request.pool ?? 'loop'}:${Date.now().toString(36)}`;
  return asPartloopError(() =>
    client.workflow.execute<(input: unknown) => Promise<StartedLoop>>(WORKFLOWS.startLoop, {
      workflowId,
      taskQueue: LIGHT_QUEUE,
      args: [request],
      staticSummary: `start loop ${request.loop ?? request.pool ?? ''}`,
    }),
  );
}

/**
 * The status of a running loop.
 *
 * @throws PartloopError `stack-unavailable` if no worker answers for it
 */
export async function loopStatus(client: Client, loop: string): Promise<LoopStatus> {
  const ask = () => client.workflow.getHandle(loopWorkflowId(loop)).query<LoopStatus>(QUERIES.status);
  return answered(loop, () => client.withDeadline(Date.now() + STATUS_MS, ask));
}

/** Longest wait for a worker's answer; other work delays it only for a moment. */
const STATUS_MS = 8_000;
const STEER_MS = 60_000;

/** A workflow answers through a worker of role `light`: without one, the service only says that the call failed. */
async function answered<T>(loop: string, work: () => Promise<T>): Promise<T> {
  try {
    return await asPartloopError(work, loop);
  } catch (cause) {
    if (!(cause instanceof ServiceError) && !isGrpcServiceError(cause)) throw cause;
    throw new PartloopError('stack-unavailable', `no worker of role \`light\` answers for loop \`${loop}\``, {
      cause,
      hint: WORKERS_HINT,
    });
  }
}

/** The status of a loop, with its iteration's current step. */
export interface ShownLoop extends LoopStatus {
  step: Step | null;
}

/** The status of a loop; if it does not run, from its record. */
export async function loopStatusOrRecord(client: Client, store: ObjectStore, loop: string): Promise<ShownLoop> {
  if (!(await isOpen(client, loopWorkflowId(loop)))) {
    const stored = storedStatus(await readLoopState(store, loop));
    const [iteration = null] = await runningIterations(client, loop);
    if (iteration === null) return { ...stored, step: null };
    // The loop was ended in Temporal, its iteration was not: the failed work is being done again.
    const step = (await iterationProgress(client, loop, iteration))?.step ?? null;
    return { ...stored, iteration, step, error: null };
  }
  // Workers of a stack that just started still check their machine.
  await assertWorkers(client);
  const status = await loopStatus(client, loop);
  const progress = status.iteration === null ? null : await iterationProgress(client, loop, status.iteration);
  return { ...status, step: progress?.step ?? null };
}

/**
 * Cancel an iteration through its own handle, whoever started it: its finished work is kept.
 *
 * @throws PartloopError `refused` if it does not run
 */
export async function cancelIteration(client: Client, loop: string, iteration: number): Promise<void> {
  const workflowId = iterationWorkflowId(loop, iteration);
  if (!(await isOpen(client, workflowId))) {
    throw new PartloopError('refused', `iteration ${iteration} of loop \`${loop}\` is not running`, {
      hint: `\`partloop loop status ${loop}\` shows what it does.`,
    });
  }
  await client.workflow.getHandle(workflowId).cancel();
}

const WORKERS_HINT =
  '`partloop status` shows the workers of the local stack, `partloop doctor` what they lack; on other machines, start one with the role `light`.';
/** A worker that just started checks its machine before it asks for work. */
const WORKERS_COME_MS = 30_000;
const WORKERS_LOOK_MS = 500;

/**
 * Refuses a request that no worker would handle: it would wait silently.
 *
 * @throws PartloopError `stack-unavailable` if no worker polls for workflows within half a minute
 */
export async function assertWorkers(client: Client): Promise<void> {
  const startedAt = performance.now();
  while (!(await hasWorkers(client))) {
    if (performance.now() - startedAt < WORKERS_COME_MS) {
      await sleep(WORKERS_LOOK_MS);
      continue;
    }
    throw new PartloopError(
      'stack-unavailable',
      `no worker polls the task queue \`${LIGHT_QUEUE}\`, so nothing would happen`,
      {
        hint: WORKERS_HINT,
      },
    );
  }
}

async function hasWorkers(client: Client): Promise<boolean> {
  const { pollers } = await client.workflowService.describeTaskQueue({
    namespace: client.options.namespace,
    taskQueue: { name: LIGHT_QUEUE },
    taskQueueType: 1,
  });
  return (pollers ?? []).length > 0;
}

/** The current step of an iteration, and the finished ones. */
export async function iterationProgress(
  client: Client,
  loop: string,
  iteration: number,
): Promise<IterationProgress | null> {
  try {
    const told: unknown = await client.workflow
      .getHandle(iterationWorkflowId(loop, iteration))
      .query<unknown>(QUERIES.progress);
    return recorded(iterationProgressSchema).safeParse(told).data ?? null;
  } catch {
    return null;
  }
}

type Command =
  | { name: typeof UPDATES.resume | typeof UPDATES.adoptProposal; args: [] }
  | { name: typeof UPDATES.pause; args: [PauseLoop] }
  | { name: typeof UPDATES.stop; args: [StopLoop] }
  | { name: typeof UPDATES.setPolicy; args: [PolicyRequest] }
  | { name: typeof UPDATES.retryIteration; args: [RetryIteration] };

/** Send a command to a loop that runs; `retryIteration` and `adoptProposal` also wake one that was stopped. */
export async function commandLoop(client: Client, loop: string, command: Command): Promise<LoopStatus> {
  const workflowId = loopWorkflowId(loop);
  await assertWorkers(client);
  if (command.name !== UPDATES.retryIteration && command.name !== UPDATES.adoptProposal) {
    const [argument = {}] = command.args;
    const steer = () =>
      client.workflow
        .getHandle(workflowId)
        .executeUpdate<LoopStatus, [StopLoop | PauseLoop | PolicyRequest]>(command.name, { args: [argument] });
    return answered(loop, () => client.withDeadline(Date.now() + STEER_MS, steer));
  }
  const startWorkflowOperation = new WithStartWorkflowOperation(WORKFLOWS.trainingLoop, {
    workflowId,
    taskQueue: LIGHT_QUEUE,
    args: [{}],
    workflowIdConflictPolicy: 'USE_EXISTING',
  });
  return answered(loop, () =>
    client.workflow.executeUpdateWithStart<() => Promise<unknown>, LoopStatus, [RetryIteration]>(command.name, {
      args: [command.name === UPDATES.retryIteration ? command.args[0] : {}],
      startWorkflowOperation,
    }),
  );
}

/** Have a loop that runs put the candidate of an iteration into production. */
export async function approveInLoop(client: Client, loop: string, request: ApproveIteration): Promise<Approval> {
  await assertWorkers(client);
  return answered(loop, () =>
    client.workflow
      .getHandle(loopWorkflowId(loop))
      .executeUpdate<Approval, [ApproveIteration]>(UPDATES.approveIteration, { args: [request] }),
  );
}

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

/** Turn Temporal's client errors into ours: the innermost failure says what happened. */
export async function asPartloopError<T>(work: () => Promise<T>, loop?: string): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) {
      throw new PartloopError('not-found', loop === undefined ? error.message : `no loop \`${loop}\` is running`, {
        cause: error,
        hint: 'Start it with `partloop loop start`; `partloop loop status` without a name lists the loops.',
      });
    }
    if (!(error instanceof WorkflowFailedError) && !(error instanceof WorkflowUpdateFailedError)) throw error;
    throw asThrown(error);
  }
}

/** The failure as it was thrown. The UI shows only the message, so the hint is at its end too. */
function asThrown(error: Error): PartloopError {
  const { code, message, hint, ended } = rootFailure(error);
  return new PartloopError(code ?? (ended ? 'interrupted' : 'internal'), withoutHint(message, hint), {
    cause: error,
    ...(hint === null ? {} : { hint }),
  });
}

import { type Client, WithStartWorkflowOperation } from '@temporalio/client';
import type { StartedLoop } from '../activities/loop.js';
import { PartloopError } from '../domain/base/errors.js';
import { iterationWorkflowId, loopWorkflowId } from '../domain/base/ids.js';
import { LIGHT_QUEUE } from '../domain/base/queues.js';
import { recorded } from '../domain/base/recorded.js';
import type { StartLoopRequest } from '../domain/loop/startRequest.js';
import { storedStatus } from '../domain/loop/status.js';
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
} from '../domain/messages.js';
import type { Step } from '../domain/steps.js';
import { QUERIES, UPDATES, WORKFLOWS } from '../domain/workflowNames.js';
import { isOpen, runningIterations } from '../steps/workflows/openWorkflows.js';
import { readLoopState } from '../storage/loopState.js';
import type { ObjectStore } from '../storage/objects/objectStore.js';
import { answered, asPartloopError } from './temporalErrors.js';
import { assertWorkers } from './workersThere.js';

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

/** The status of a loop, with its iteration's current step. */
export interface ShownLoop extends LoopStatus {
  step: Step | null;
}

/** What a loop is at, with what its running iteration tells. */
export interface LiveLoop {
  status: LoopStatus;
  /** null if no iteration runs, or if it does not answer. */
  progress: IterationProgress | null;
  /** Whether the loop itself runs; its iteration may run without it. */
  isOpen: boolean;
}

/**
 * A loop that runs as it answers, another one from its record.
 *
 * @param patienceMs for how long workers of a stack that just started are waited for: they still check their machine
 */
export async function liveLoop(
  client: Client,
  store: ObjectStore,
  loop: string,
  patienceMs?: number,
): Promise<LiveLoop> {
  if (!(await isOpen(client, loopWorkflowId(loop)))) {
    const stored = storedStatus(await readLoopState(store, loop));
    const [iteration = null] = await runningIterations(client, loop);
    if (iteration === null) return { status: stored, progress: null, isOpen: false };
    // The loop was ended in Temporal, its iteration was not: the failed work is being done again.
    const progress = await iterationProgress(client, loop, iteration);
    return { status: { ...stored, iteration, error: null }, progress, isOpen: false };
  }
  await assertWorkers(client, patienceMs);
  const status = await loopStatus(client, loop);
  const progress = status.iteration === null ? null : await iterationProgress(client, loop, status.iteration);
  return { status, progress, isOpen: true };
}

/** The status of a loop; if it does not run, from its record. */
export async function loopStatusOrRecord(client: Client, store: ObjectStore, loop: string): Promise<ShownLoop> {
  const { status, progress } = await liveLoop(client, store, loop);
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

/** What is sent to a loop that exists. */
export type LoopCommand =
  | { name: typeof UPDATES.resume | typeof UPDATES.adoptProposal; args: [] }
  | { name: typeof UPDATES.pause; args: [PauseLoop] }
  | { name: typeof UPDATES.stop; args: [StopLoop] }
  | { name: typeof UPDATES.setPolicy; args: [PolicyRequest] }
  | { name: typeof UPDATES.retryIteration; args: [RetryIteration] };

/** Send a command to a loop that runs; `retryIteration` and `adoptProposal` also wake one that was stopped. */
export async function commandLoop(client: Client, loop: string, command: LoopCommand): Promise<LoopStatus> {
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

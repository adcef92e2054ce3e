import { randomUUID } from 'node:crypto';
import { activityInfo } from '@temporalio/activity';
import { type Client, WithStartWorkflowOperation } from '@temporalio/client';
import { PartloopError } from '../domain/base/errors.js';
import { loopWorkflowId } from '../domain/base/ids.js';
import { LIGHT_QUEUE } from '../domain/base/queues.js';
import type { PolicyConfig } from '../domain/config.js';
import { type IterationRequest, iterationStart, previousResults } from '../domain/loop/iterationStart.js';
import { keptSteps } from '../domain/loop/keptSteps.js';
import type { LoopRecord } from '../domain/loop/machine.js';
import type { StartLoopRequest } from '../domain/loop/startRequest.js';
import {
  type IterationAttempt,
  type LoopState,
  nextIteration,
  ownConfig,
  recentRows,
  withAdopted,
  withAttempt,
  withConfig,
  withProposal,
} from '../domain/loop/state.js';
import type { PolicyRequest, RunIterations, RunIterationsAnswer } from '../domain/messages.js';
import { attemptOccasions } from '../domain/notify/occasion.js';
import { recordedSampleConfig } from '../domain/sample/config.js';
import { assertClassesOfFocus } from '../domain/sample/focus.js';
import { configWith } from '../domain/settings/loopConfig.js';
import type { IterationContext, StepInput } from '../domain/steps.js';
import { type Proposal, tuningSchema } from '../domain/tune/proposal.js';
import { UPDATES, WORKFLOWS } from '../domain/workflowNames.js';
import type { ActivityDeps } from '../steps/deps.js';
import { committedResults } from '../steps/runStep.js';
import { resolveStart } from '../steps/startRequest.js';
import { runningIterations } from '../steps/workflows/openWorkflows.js';
import { readLoopState, unknownSettings, updateLoopState } from '../storage/loopState.js';
import type { ObjectStore } from '../storage/objects/objectStore.js';
import { openPool } from '../storage/pool/pool.js';
import { readJson } from '../storage/tables/json.js';
import { noteEnd } from '../tracking/noteIteration.js';
import { approveIteration } from './approval.js';

export interface StartedLoop extends RunIterationsAnswer {
  workflowId: string;
  /** The loop's page in the Temporal UI, relative to its address. */
  path: string;
}

interface RecordInput extends StepInput {
  status: 'finished' | 'failed';
  error: string | null;
  runId: string;
}

type LoopDeps = ActivityDeps & { client: Client };

/**
 * Bookkeeping of loops: takes seconds and is safe to run twice. `client` reaches the Temporal service the worker polls.
 */
export function createLoopActivities(deps: LoopDeps) {
  return {
    startOrJoinLoop: (input: { request: StartLoopRequest }) => startOrJoinLoop(deps, input.request),
    loadLoop: (input: { loop: string; lookForRunning?: boolean }) => loadLoop(deps, input),
    poolVersion: (input: { pool: string }) => poolVersion(deps, input.pool),
    adoptProposal: (input: { loop: string }) => adoptProposal(deps, input.loop),
    keepPolicy: async ({ loop, policy }: { loop: string; policy: PolicyConfig }): Promise<void> => {
      await keepPolicy(deps.store, loop, policy);
    },
    approveIteration: (input: Parameters<typeof approveIteration>[1]) => approveIteration(deps, input),
    prepareIteration: (input: IterationRequest) => prepareIteration(deps, input),
    recordIteration: (input: RecordInput) => recordIteration(deps, input),
  };
}

/**
 * Start the loop or join the running one with the request's values; the update's id makes a retry harmless. Pool and
 * settings belong to the loop: the pool's defaults are for a loop that has none yet.
 */
async function startOrJoinLoop(deps: LoopDeps, request: StartLoopRequest): Promise<StartedLoop> {
  const { store, client } = deps;
  const { loop, config, settings } = await resolveStart(deps, request);
  const workflowId = loopWorkflowId(loop);
  const { workflowExecution } = activityInfo();
  const startWorkflowOperation = new WithStartWorkflowOperation(WORKFLOWS.trainingLoop, {
    workflowId,
    taskQueue: LIGHT_QUEUE,
    args: [{}],
    workflowIdConflictPolicy: 'USE_EXISTING',
    staticSummary: `training loop ${loop} over pool ${config.pool}`,
  });
  const updateId = `${workflowExecution?.workflowId ?? 'direct'}:${workflowExecution?.runId ?? request.iterations}`;
  const answer = await client.workflow.executeUpdateWithStart<
    () => Promise<unknown>,
    RunIterationsAnswer,
    [RunIterations]
  >(UPDATES.runIterations, {
    args: [{ iterations: request.iterations, config, settings }],
    updateId: updateId.slice(0, 200),
    startWorkflowOperation,
  });
  if (answer.outcome === 'started' || answer.outcome === 'resumed')
    await updateLoopState(store, loop, (state) => withConfig(state, answer.config));
  return { ...answer, workflowId, path: `/namespaces/${client.options.namespace}/workflows/${workflowId}` };
}

/** The loop's record so far, from which the workflow continues. */
async function loadLoop(
  { store, client, log, board }: LoopDeps,
  { loop, lookForRunning = false }: { loop: string; lookForRunning?: boolean },
): Promise<LoopRecord> {
  const state = await readLoopState(store, loop);
  const { proposal } = state;
  const unknown = lookForRunning ? await unknownSettings(store, loop) : [];
  if (unknown.length > 0) log.warn({ loop, settings: unknown }, 'settings that this version does not have do nothing');
  const [running = null] = lookForRunning ? await runningIterations(client, loop) : [];
  const links = board === undefined ? {} : { board };
  return { next: nextIteration(state), rows: recentRows(state), proposal, config: ownConfig(state), running, ...links };
}

/** The pool's version; a new version means that there may be new images. */
async function poolVersion({ store }: LoopDeps, pool: string): Promise<number> {
  return (await openPool(store, pool)).latestVersion();
}

/** Adopt the proposed settings permanently; a second time changes nothing. */
async function adoptProposal({ store }: LoopDeps, loop: string): Promise<Proposal> {
  const { adopted } = await updateLoopState(store, loop, withAdopted);
  if (adopted !== null) return adopted;
  throw new PartloopError('not-found', `loop \`${loop}\` has no proposed settings`, {
    hint: 'A search proposes settings if `tune.enabled` is true and it finds better ones; the report has its table.',
  });
}

/**
 * When the loop's iterations begin, from here on.
 *
 * @throws PartloopError `not-found` for a loop that has no settings yet
 */
export async function keepPolicy(store: ObjectStore, loop: string, policy: PolicyRequest): Promise<LoopState> {
  return updateLoopState(store, loop, (state) => {
    const config = ownConfig(state);
    if (config === null)
      throw new PartloopError('not-found', `loop \`${loop}\` has no settings yet`, {
        hint: '`partloop loop start` gives it some; then it can have a policy.',
      });
    return withConfig(state, configWith(config, { policy }));
  });
}

/**
 * Everything iteration `iteration` builds on: its settings and the results of the iteration before it. An iteration
 * that failed goes on as it was asked for, with the steps that a forced replay has done again; settings of the loop's
 * newest iteration are those of the loop from then on.
 */
async function prepareIteration({ store, board }: LoopDeps, request: IterationRequest): Promise<IterationContext> {
  const { loop, iteration } = request;
  const from = request.from ?? null;
  const state = await readLoopState(store, loop);
  const { isNext, config, before, failedForce } = iterationStart(state, request);
  // Settings of a retry or an update come past the start, which checks them as well.
  const { focus } = recordedSampleConfig(config.sample);
  if (focus.some(({ classes }) => classes.length > 0))
    assertClassesOfFocus(focus, (await openPool(store, config.pool)).taxonomy);
  if (isNext) await updateLoopState(store, loop, (now) => withConfig(now, config));
  return {
    loop,
    iteration,
    config,
    previous: previousResults(state, iteration),
    force: from === null ? failedForce : { from, token: randomUUID() },
    kept:
      before === null ? {} : await committedResults(store, { loop, iteration }, keptSteps(before, { from, config })),
    ...(board === undefined ? {} : { board }),
  };
}

/**
 * Record an attempt in the loop's state, and where else the settings ask for it; recording the same run twice changes
 * nothing more. What could not be noted elsewhere stands in the record as a fact.
 */
async function recordIteration(deps: LoopDeps, input: RecordInput): Promise<void> {
  const { context, results, status, error, runId } = input;
  let recorded = await recordInState(deps, input);
  const missed = await noteEnd(deps, context, runId, { results, status, error });
  if (missed !== null && results.report !== undefined) {
    const facts = { ...results.report.facts, tracking: missed };
    recorded = await recordInState(deps, { ...input, results: { ...results, report: { ...results.report, facts } } });
  }
  await deps.notify?.(attemptOccasions(recorded.state, context.iteration, recorded.attempt));
}

async function recordInState({ store }: LoopDeps, input: RecordInput) {
  const { context, results, status, error, runId } = input;
  const attempt: IterationAttempt = {
    runId,
    status,
    error,
    results,
    config: context.config,
    force: context.force,
    recordedAt: new Date().toISOString(),
  };
  const tuning = results.tune?.outputs.tuning;
  const searched = status === 'finished' && tuning !== undefined ? await readJson(store, tuning, tuningSchema) : null;
  const state = await updateLoopState(store, context.loop, (state) => {
    const recorded = withAttempt(state, context.iteration, attempt);
    // Results of a replay of an old iteration are not for the coming iterations.
    const isLatest = context.iteration + 1 >= nextIteration(recorded);
    return searched !== null && isLatest ? withProposal(recorded, searched.proposal) : recorded;
  });
  return { state, attempt };
}

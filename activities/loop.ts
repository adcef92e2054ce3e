import { randomUUID } from 'node:crypto';
import { activityInfo } from '@temporalio/activity';
import { type Client, WithStartWorkflowOperation } from '@temporalio/client';
import { PartloopError } from '../domain/base/errors.js';
import { loopWorkflowId } from '../domain/base/ids.js';
import { LIGHT_QUEUE } from '../domain/base/queues.js';
import type { LoopConfig } from '../domain/config.js';
import { keptSteps } from '../domain/loop/keptSteps.js';
import type { LoopRecord } from '../domain/loop/machine.js';
import {
  type IterationAttempt,
  type LoopState,
  newestAttempt,
  nextIteration,
  ownConfig,
  recentRows,
  withAdopted,
  withAttempt,
  withConfig,
  withProposal,
} from '../domain/loop/state.js';
import { configWith, type RunIterations, type RunIterationsAnswer, type StartLoopRequest } from '../domain/messages.js';
import { knownSettings } from '../domain/settings/settings.js';
import { type IterationContext, STEPS, type Step, type StepResults } from '../domain/steps.js';
import { type Proposal, tuningSchema } from '../domain/tune/proposal.js';
import { UPDATES, WORKFLOWS } from '../domain/workflowNames.js';
import type { ActivityDeps } from '../steps/deps.js';
import { keys } from '../storage/keys.js';
import { readLoopState, unknownSettings, updateLoopState } from '../storage/loopState.js';
import { openPool } from '../storage/pool.js';
import { readJson } from '../storage/tables/json.js';
import { runningIterations } from './openWorkflows.js';
import { resolveStart } from './startRequest.js';

export interface StartedLoop extends RunIterationsAnswer {
  workflowId: string;
  /** The loop's page in the Temporal UI, relative to its address. */
  path: string;
}

/** Bookkeeping of loops: seconds long, safe to run twice. `client` reaches the Temporal service the worker polls. */
export function createLoopActivities(deps: ActivityDeps & { client: Client }) {
  const { store, client } = deps;
  return {
    /**
     * Start the loop or join the running one with what the request gives; the update's id makes a retry harmless. Pool and
     * settings belong to the loop: the pool's defaults are for a loop that has none yet.
     */
    async startOrJoinLoop({ request }: { request: StartLoopRequest }): Promise<StartedLoop> {
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
      const answer = await client.workflow.executeUpdateWithStart<
        () => Promise<unknown>,
        RunIterationsAnswer,
        [RunIterations]
      >(UPDATES.runIterations, {
        args: [{ iterations: request.iterations, config, settings }],
        updateId:
          `${workflowExecution?.workflowId ?? 'direct'}:${workflowExecution?.runId ?? request.iterations}`.slice(
            0,
            200,
          ),
        startWorkflowOperation,
      });
      if (answer.outcome === 'started' || answer.outcome === 'resumed')
        await updateLoopState(store, loop, (state) => withConfig(state, answer.config));
      return { ...answer, workflowId, path: `/namespaces/${client.options.namespace}/workflows/${workflowId}` };
    },

    /** What a loop has done so far, for the entity to go on from. */
    async loadLoop({ loop, lookForRunning = false }: { loop: string; lookForRunning?: boolean }): Promise<LoopRecord> {
      const state = await readLoopState(store, loop);
      const { proposal } = state;
      const unknown = lookForRunning ? await unknownSettings(store, loop) : [];
      if (unknown.length > 0)
        deps.log.warn({ loop, settings: unknown }, 'settings that this version does not have do nothing');
      const [running = null] = lookForRunning ? await runningIterations(client, loop) : [];
      return { next: nextIteration(state), rows: recentRows(state), proposal, config: ownConfig(state), running };
    },

    /** The pool's version; another one than before means that images may have come. */
    async poolVersion({ pool }: { pool: string }): Promise<number> {
      return (await openPool(store, pool)).latestVersion();
    },

    /** Take the proposed settings over for good; taking them twice changes nothing more. */
    async adoptProposal({ loop }: { loop: string }): Promise<Proposal> {
      const { adopted } = await updateLoopState(store, loop, withAdopted);
      if (adopted !== null) return adopted;
      throw new PartloopError('not-found', `loop \`${loop}\` has no proposed settings`, {
        hint: 'A search proposes some where `tune.enabled` is set and it finds better ones; the report has its table.',
      });
    },

    /**
     * Everything iteration `iteration` builds on: its settings and the results of the iteration before it. An iteration that
     * failed goes on as it was asked for, with the steps that a forced replay has done again; settings of the loop's newest
     * iteration are those of the loop from then on.
     */
    async prepareIteration({
      loop,
      iteration,
      config,
      from,
      settings,
    }: {
      loop: string;
      iteration: number;
      config: LoopConfig | null;
      from: Step | null | undefined;
      settings?: Record<string, unknown> | null;
    }): Promise<IterationContext> {
      const state = await readLoopState(store, loop);
      const own = state.iterations.find((entry) => entry.iteration === iteration);
      const newest = own === undefined ? null : newestAttempt(own);
      const isNext = iteration === nextIteration(state);
      // A retry goes on with what failed; a replay begins with what later iterations build on.
      const before = from == null ? newest : (own?.current ?? null);
      const base = isNext ? (config ?? before?.config) : (before?.config ?? config);
      if (base == null || (own === undefined && !isNext)) {
        throw new PartloopError(
          'not-found',
          `loop \`${loop}\` has no iteration ${iteration}; it has done ${nextIteration(state) - 1}`,
        );
      }
      const resolved = settings == null ? base : configWith(base, knownSettings(settings));
      if (isNext) await updateLoopState(store, loop, (now) => withConfig(now, resolved));
      const failedForce = newest?.status === 'failed' ? newest.force : null;
      return {
        loop,
        iteration,
        config: resolved,
        previous: previousResults(state, iteration),
        force: from == null ? failedForce : { from, token: randomUUID() },
        kept:
          before === null
            ? {}
            : await committed(keptSteps(before, { from: from ?? null, config: resolved }), loop, iteration),
      };
    },

    /** Record an attempt in the loop's state; recording the same run twice changes nothing more. */
    async recordIteration({
      context,
      results,
      status,
      error,
      runId,
    }: {
      context: IterationContext;
      results: StepResults;
      status: 'finished' | 'failed';
      error: string | null;
      runId: string;
    }): Promise<void> {
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
      const searched =
        status === 'finished' && tuning !== undefined ? await readJson(store, tuning, tuningSchema) : null;
      await updateLoopState(store, context.loop, (state) => {
        const recorded = withAttempt(state, context.iteration, attempt);
        // What an old iteration found when it was replayed is no news for the iterations to come.
        const isLatest = context.iteration + 1 >= nextIteration(recorded);
        return searched !== null && isLatest ? withProposal(recorded, searched.proposal) : recorded;
      });
    },
  };

  /** Of these results those whose commits are still there, up to the first that is not: it and what follows are done again. */
  async function committed(kept: StepResults, loop: string, iteration: number): Promise<StepResults> {
    let there: StepResults = {};
    for (const step of STEPS) {
      const result = kept[step];
      if (result === undefined) continue;
      if ((await store.head(keys.commit(loop, iteration, step, result.digest))) === null) break;
      there = { ...there, [step]: result };
    }
    return there;
  }
}

function previousResults(state: LoopState, iteration: number): IterationContext['previous'] {
  const before = state.iterations
    .filter((entry) => entry.iteration < iteration && entry.current.status === 'finished')
    .at(-1);
  if (before === undefined) return null;
  const { draw, scan, sample, train, evaluate } = before.current.results;
  if (!draw || !scan || !sample || !train || !evaluate) {
    const there = Object.keys(before.current.results).join(', ');
    throw new PartloopError(
      'data-invalid',
      `iteration ${before.iteration} of loop \`${state.loop}\` is marked finished but has only ${there}`,
      {
        hint: `Replay it: \`partloop iteration replay ${state.loop} ${before.iteration} --from draw\`.`,
      },
    );
  }
  return { draw, scan, sample, train, evaluate };
}

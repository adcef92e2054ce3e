import { randomUUID } from 'node:crypto';
import { activityInfo } from '@temporalio/activity';
import { type Client, WithStartWorkflowOperation } from '@temporalio/client';
import type { LoopConfig } from '../domain/config.js';
import { PartloopError } from '../domain/errors.js';
import { loopWorkflowId } from '../domain/ids.js';
import {
  adoptedSettings,
  type IterationAttempt,
  iterationRow,
  type LoopState,
  nextIteration,
  withAdopted,
  withAttempt,
  withProposal,
} from '../domain/loopState.js';
import {
  type IterationRow,
  type RunIterationsAnswer,
  resolveConfig,
  type StartLoopRequest,
} from '../domain/messages.js';
import { LIGHT_QUEUE } from '../domain/queues.js';
import type { IterationContext, Step, StepResults } from '../domain/steps.js';
import { type Proposal, tuningSchema } from '../domain/tune/proposal.js';
import { readJson } from '../storage/json.js';
import { readLoopState, updateLoopState } from '../storage/loopState.js';
import type { ActivityDeps } from './deps.js';
import { choosePool, poolOf } from './pool.js';

const ROWS_KEPT = 20;

export interface StartedLoop extends RunIterationsAnswer {
  workflowId: string;
  /** The loop's page in the Temporal UI, relative to its address. */
  path: string;
  config: LoopConfig;
}

/** Bookkeeping of loops: seconds long, safe to run twice. `client` reaches the Temporal service the worker polls. */
export function createLoopActivities(deps: ActivityDeps & { client: Client }) {
  const { store, client } = deps;
  return {
    /** Resolve the request, then start the loop or join the running one; the update's id makes a retry harmless. */
    async startOrJoinLoop({ request }: { request: StartLoopRequest }): Promise<StartedLoop> {
      const pool = await choosePool(store, request.pool);
      const { defaults } = await poolOf(deps, pool);
      const loop = request.loop ?? pool;
      const adopted = adoptedSettings(await readLoopState(store, loop));
      const config = resolveConfig(request, pool, defaults, adopted);
      await refuseOtherPool(loop, pool);
      const workflowId = loopWorkflowId(loop);
      const { workflowExecution } = activityInfo();
      const startWorkflowOperation = new WithStartWorkflowOperation('trainingLoop', {
        workflowId,
        taskQueue: LIGHT_QUEUE,
        args: [{}],
        workflowIdConflictPolicy: 'USE_EXISTING',
        staticSummary: `training loop ${loop} over pool ${pool}`,
      });
      const answer = await client.workflow.executeUpdateWithStart<
        () => Promise<unknown>,
        RunIterationsAnswer,
        [{ iterations: number; config: LoopConfig }]
      >('runIterations', {
        args: [{ iterations: request.iterations, config }],
        updateId:
          `${workflowExecution?.workflowId ?? 'direct'}:${workflowExecution?.runId ?? request.iterations}`.slice(
            0,
            200,
          ),
        startWorkflowOperation,
      });
      return { ...answer, workflowId, path: `/namespaces/${client.options.namespace}/workflows/${workflowId}`, config };
    },

    /** What a loop has done so far, for the entity to go on from. */
    async loadLoop({
      loop,
    }: {
      loop: string;
    }): Promise<{ next: number; rows: IterationRow[]; proposal: Proposal | null }> {
      const state = await readLoopState(store, loop);
      const rows = state.iterations.map(({ iteration, current }) => iterationRow(iteration, current));
      return { next: nextIteration(state), rows: rows.slice(-ROWS_KEPT), proposal: state.proposal };
    },

    /** Take the proposed settings over for good; taking them twice changes nothing more. */
    async adoptProposal({ loop }: { loop: string }): Promise<Proposal> {
      const { adopted } = await updateLoopState(store, loop, withAdopted);
      if (adopted !== null) return adopted;
      throw new PartloopError('not-found', `loop \`${loop}\` has no proposed settings`, {
        hint: 'A search proposes some where `tune.enabled` is set and it finds better ones; the report has its table.',
      });
    },

    /** Everything iteration `iteration` builds on: the configuration and the results of the iteration before it. */
    async prepareIteration({
      loop,
      iteration,
      config,
      from,
    }: {
      loop: string;
      iteration: number;
      config: LoopConfig | null;
      from: Step | null | undefined;
    }): Promise<IterationContext> {
      const state = await readLoopState(store, loop);
      const own = state.iterations.find((entry) => entry.iteration === iteration);
      const settings = own?.current.config ?? config;
      if (settings === null || (own === undefined && iteration !== nextIteration(state))) {
        throw new PartloopError(
          'not-found',
          `loop \`${loop}\` has no iteration ${iteration}; it has done ${nextIteration(state) - 1}`,
        );
      }
      const isNext = iteration === nextIteration(state);
      return {
        loop,
        iteration,
        config: isNext && config !== null ? config : settings,
        previous: previousResults(state, iteration),
        force: from == null ? null : { from, token: randomUUID() },
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

    async isRunning({ workflowId }: { workflowId: string }): Promise<boolean> {
      return (await client.workflow.getHandle(workflowId).describe()).status.name === 'RUNNING';
    },
  };

  async function refuseOtherPool(loop: string, pool: string): Promise<void> {
    const last = (await readLoopState(store, loop)).iterations.at(-1);
    if (last !== undefined && last.current.config.pool !== pool) {
      throw new PartloopError(
        'input-invalid',
        `field \`loop\`: loop \`${loop}\` draws from pool \`${last.current.config.pool}\`, not from \`${pool}\``,
        {
          hint: 'Give the new loop another name.',
        },
      );
    }
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

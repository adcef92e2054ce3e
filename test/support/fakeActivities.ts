import { ApplicationFailure } from '@temporalio/common';
import { loopConfigSchema } from '../../domain/config.js';
import {
  emptyLoopState,
  iterationRow,
  type LoopState,
  nextIteration,
  ownConfig,
  withAdopted,
  withAttempt,
  withProposal,
} from '../../domain/loop/state.js';
import { configWith } from '../../domain/messages.js';
import type { IterationContext, Step, StepResult, StepResults } from '../../domain/steps.js';
import { type Trial, winner } from '../../domain/tune/halving.js';
import type { Proposal } from '../../domain/tune/proposal.js';
import type { TunedSettings } from '../../domain/tune/space.js';

export const testConfig = loopConfigSchema.parse({ pool: 'cars', chunkSize: 10 });

export function stepResult(step: string, facts: StepResult['facts'] = {}): StepResult {
  return { step, digest: '0'.repeat(64), outcome: 'miss', outputs: {}, facts, seconds: 1 };
}

/**
 * Activities that do no work but keep books: what the workflows ask for, in order. `fail` makes a step fail as often as
 * it says, with the code it says.
 */
export function fakeActivities(
  options: {
    shards?: number;
    folds?: number[];
    miouOf?(settings: TunedSettings, rung: number): number;
    isRunning?(workflowId: string): Promise<boolean>;
    joined?(workflowId: string): Promise<unknown>;
    /** A step waits for this before it ends. */
    until?(name: string): Promise<void>;
  } = {},
) {
  const calls: string[] = [];
  const faults = new Map<string, { times: number; code: string }>();
  let state: LoopState = emptyLoopState('cars');
  let found: Proposal | null = null;
  const version = { pool: 1 };
  const tables: { trials: Trial[]; stopped: string | null }[] = [];
  const did = (name: string): void => {
    calls.push(name);
    const fault = faults.get(name);
    if (fault === undefined || fault.times === 0) return;
    fault.times -= 1;
    throw ApplicationFailure.create({
      type: fault.code,
      message: `${name} failed as the test asked`,
      nonRetryable: true,
    });
  };
  const simple =
    (step: Step, facts: StepResult['facts'] = {}) =>
    async ({ context }: { context: IterationContext; results: StepResults }) => {
      did(`${step}:${context.iteration}`);
      await options.until?.(`${step}:${context.iteration}`);
      return stepResult(step, facts);
    };
  const activities = {
    draw: simple('draw', { drawn: 10 }),
    planScan: async ({ context }: { context: IterationContext }) => {
      did(`plan:${context.iteration}`);
      return { planKey: 'plan.json', shards: options.shards ?? 3, folds: options.folds ?? [] };
    },
    trainFold: async ({ fold }: { fold: number }) => {
      did(`fold:${fold}`);
      return stepResult('fold');
    },
    tryJudges: async () => {
      did('judges');
      return { warnings: [], setupKey: 'setup.json' };
    },
    scanShard: async ({ shard }: { shard: number }) => {
      did(`shard:${shard}`);
      await options.until?.(`shard:${shard}`);
    },
    reduceScan: async ({ failedShards }: { failedShards: number[] }) => {
      did(`reduce:${failedShards.join(' ')}`);
      return stepResult('scan', { quarantined: 1 });
    },
    ensureBenchmark: async () => did('benchmark'),
    sample: simple('sample', { sampled: 5, trainingSet: 5 }),
    train: simple('train', { valMiou: 0.5 }),
    evaluate: simple('evaluate', { miou: 0.6 }),
    decide: simple('decide', { gate: 'held', benchmarkMiou: 0.55 }),
    proposeTrial: async ({ trials }: { trials: Trial[] }): Promise<TunedSettings> => {
      did(`propose:${trials.length}`);
      return { lrHead: trials.length / 100 };
    },
    trainTrial: async (asked: { trial: number; settings: TunedSettings; rung: number }) => {
      did(`trial:${asked.trial}:${asked.rung}`);
      const valMiou = options.miouOf?.(asked.settings, asked.rung) ?? 0.5;
      return { ...stepResult('trial', { valMiou }), outputs: { chain: `chain-${asked.trial}` }, seconds: 3_600 };
    },
    finishTuning: async (asked: { context: IterationContext; trials: Trial[]; stopped: string | null }) => {
      did('finishTuning');
      const { rungs, minGain } = asked.context.config.tune;
      const best = winner(asked.trials, rungs, minGain);
      found = best === null ? null : { iteration: 1, settings: best.settings, miou: 0.6, ownMiou: 0.5 };
      tables.push({ trials: asked.trials, stopped: asked.stopped });
      return stepResult('tune', { proposed: best !== null });
    },
    adoptProposal: async () => {
      did('adoptProposal');
      state = withAdopted(state);
      if (state.adopted === null) throw ApplicationFailure.create({ type: 'not-found', nonRetryable: true });
      return state.adopted;
    },
    report: simple('report'),
    startOrJoinLoop: async ({ request }: { request: { iterations: number } }) => {
      did('startOrJoinLoop');
      return {
        outcome: 'started',
        loop: 'cars',
        nextIteration: 1,
        workflowId: 'loop:cars',
        path: '/',
        config: testConfig,
        remaining: 1,
        asked: request.iterations,
      };
    },
    loadLoop: async () => ({
      next: nextIteration(state),
      rows: state.iterations.map(({ iteration, current }) => iterationRow(iteration, current)),
      proposal: state.proposal,
      config: ownConfig(state),
    }),
    poolVersion: async () => version.pool,
    prepareIteration: async ({
      loop,
      iteration,
      config,
      from,
      settings,
    }: {
      loop: string;
      iteration: number;
      config: typeof testConfig | null;
      from?: Step | null;
      settings?: Record<string, unknown> | null;
    }): Promise<IterationContext> => {
      did(`prepare:${iteration}:${from ?? 'next'}`);
      return {
        loop,
        iteration,
        config: configWith(config ?? testConfig, settings ?? {}),
        previous: null,
        force: from == null ? null : { from, token: 'again' },
      };
    },
    recordIteration: async ({
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
    }) => {
      did(`record:${context.iteration}:${status}`);
      state = withAttempt(state, context.iteration, {
        runId,
        status,
        error,
        results,
        config: context.config,
        force: context.force,
        recordedAt: '2026-01-01T00:00:00Z',
      });
      if (status === 'finished' && results.tune !== undefined) state = withProposal(state, found);
    },
    isRunning: async (asked: { workflowId: string }) => (await options.isRunning?.(asked.workflowId)) ?? true,
    joinWorkflow: async ({ workflowId }: { workflowId: string }) => {
      did(`join:${workflowId}`);
      return options.joined?.(workflowId);
    },
  };
  return {
    activities,
    calls,
    fail: (name: string, code: string, times = 1) => faults.set(name, { times, code }),
    state: () => state,
    version,
    /** What searches ended with. */
    tables,
  };
}

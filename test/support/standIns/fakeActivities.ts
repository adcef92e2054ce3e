import { ApplicationFailure } from '@temporalio/common';
import type { Activities } from '../../../activities/index.js';
import { loopConfigSchema } from '../../../domain/config.js';
import {
  emptyLoopState,
  iterationRow,
  type LoopState,
  nextIteration,
  ownConfig,
  withAdopted,
  withAttempt,
  withProposal,
} from '../../../domain/loop/state.js';
import { configWith } from '../../../domain/settings/loopConfig.js';
import type { IterationContext, Step, StepResults } from '../../../domain/steps.js';
import { type Trial, winner } from '../../../domain/tune/halving.js';
import type { Proposal } from '../../../domain/tune/proposal.js';
import type { TunedSettings } from '../../../domain/tune/space.js';
import { idleCleanUp } from './idleCleanUp.js';
import { idleIngest } from './idleIngest.js';
import { stepResult as doneStep, type FactsBy, type ResultBy, type Working } from './stepResult.js';

export const testConfig = loopConfigSchema.parse({ pool: 'cars', chunkSize: 10 });

/** The result of a step or part that left nothing but a few facts. */
export const stepResult = <Name extends Working>(step: Name, facts?: FactsBy<Name>): ResultBy<Name> => ({
  ...doneStep(step, {}, facts),
  digest: '0'.repeat(64),
});

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
    joined?: Activities['joinWorkflow'];
    /** A step waits for this before it ends. */
    until?(name: string): Promise<void>;
  } = {},
) {
  const calls: string[] = [];
  const faults = new Map<string, { times: number; code: string }>();
  let state: LoopState = emptyLoopState('cars');
  let found: Proposal | null = null;
  const version = { pool: 1 };
  const images = { undrawn: 0 };
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
    <Name extends Step>(step: Name, facts?: FactsBy<Name>) =>
    async ({ context }: { context: IterationContext; results: StepResults }) => {
      did(`${step}:${context.iteration}`);
      await options.until?.(`${step}:${context.iteration}`);
      return stepResult(step, facts);
    };
  const activities: Activities = {
    ...idleIngest,
    ...idleCleanUp,
    draw: simple('draw', { drawn: 10 }),
    countUndrawn: async () => {
      did('count');
      return { undrawn: images.undrawn };
    },
    keepPolicy: async () => did('keepPolicy'),
    prepareScan: async ({ scan }) => {
      did(`prepareScan:${scan}`);
      return {
        context: { loop: scan, iteration: 1, config: testConfig, previous: null, force: null },
        judge: { kind: 'benchmark' },
      };
    },
    planScan: async ({ context }) => {
      did(`plan:${context.iteration}`);
      return { planKey: 'plan.json', shards: options.shards ?? 3, folds: options.folds ?? [] };
    },
    trainFold: async ({ fold }) => {
      did(`fold:${fold}`);
      return stepResult('fold');
    },
    tryJudges: async () => {
      did('judges');
      return { warnings: [], setupKey: 'setup.json' };
    },
    scanShard: async ({ shard }) => {
      did(`shard:${shard}`);
      await options.until?.(`shard:${shard}`);
    },
    reduceScan: async ({ failedShards }) => {
      did(`reduce:${failedShards.join(' ')}`);
      return stepResult('scan', { quarantined: 1 });
    },
    recordScan: async ({ context }) => did(`recordScan:${context.loop}`),
    ensureBenchmark: async () => {
      did('benchmark');
      return null;
    },
    trainRandomBaseline: async ({ count }) => {
      did(`baseline:${count}`);
      return stepResult('train', { valMiou: 0.5 });
    },
    sample: simple('sample', { sampled: 5, trainingSet: 5 }),
    train: simple('train', { valMiou: 0.5 }),
    evaluate: simple('evaluate', { miou: 0.6 }),
    decide: simple('decide', { gate: 'held', benchmarkMiou: 0.55 }),
    proposeTrial: async ({ trials }) => {
      did(`propose:${trials.length}`);
      return { lrHead: trials.length / 100 };
    },
    trainTrial: async ({ trial, settings, rung }) => {
      did(`trial:${trial}:${rung}`);
      const valMiou = options.miouOf?.(settings, rung) ?? 0.5;
      return { ...stepResult('trial', { valMiou }), outputs: { chain: `chain-${trial}` }, seconds: 3_600 };
    },
    finishTuning: async ({ context, trials, stopped }) => {
      did('finishTuning');
      const { rungs, minGain } = context.config.tune;
      const best = winner(trials, rungs, minGain);
      found = best === null ? null : { iteration: 1, settings: best.settings, miou: 0.6, ownMiou: 0.5 };
      tables.push({ trials: [...trials], stopped });
      return stepResult('tune', { proposed: best !== null });
    },
    adoptProposal: async () => {
      did('adoptProposal');
      state = withAdopted(state);
      if (state.adopted === null) throw ApplicationFailure.create({ type: 'not-found', nonRetryable: true });
      return state.adopted;
    },
    approveIteration: async ({ loop, iteration, by }) => {
      did(`approve:${iteration ?? 'last'}:${by}`);
      return {
        loop,
        iteration: iteration ?? nextIteration(state) - 1,
        model: { scan: 'scan.onnx', card: 'card.json', digest: '0'.repeat(64), loop, iteration: iteration ?? 1 },
        at: '2026-01-01T00:00:00Z',
        reason: `approved by ${by}`,
        untold: null,
      };
    },
    trainControl: async ({ context }) => {
      did(`arm:${context.iteration}`);
      await options.until?.(`arm:${context.iteration}`);
      return stepResult('arm', { images: 5 });
    },
    compareControl: async ({ context }) => {
      did(`control:${context.iteration}`);
      return stepResult('control', { gain: 0.02 });
    },
    skipControl: async ({ context, why }) => {
      did(`skipControl:${context.iteration}`);
      return stepResult('control', { why });
    },
    report: simple('report'),
    startOrJoinLoop: async ({ request }) => {
      did('startOrJoinLoop');
      const started = { outcome: 'started', loop: 'cars', nextIteration: 1, workflowId: 'loop:cars' } as const;
      return { ...started, path: '/', config: testConfig, remaining: request.iterations };
    },
    loadLoop: async () => ({
      next: nextIteration(state),
      rows: state.iterations.map(({ iteration, current }) => iterationRow(iteration, current)),
      proposal: state.proposal,
      config: ownConfig(state),
    }),
    poolVersion: async () => version.pool,
    prepareIteration: async ({ loop, iteration, config, from, settings }) => {
      did(`prepare:${iteration}:${from ?? 'next'}`);
      return {
        loop,
        iteration,
        config: configWith(config ?? testConfig, settings ?? {}),
        previous: null,
        force: from == null ? null : { from, token: 'again' },
      };
    },
    recordIteration: async ({ context, results, status, error, runId }) => {
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
    isRunning: async ({ workflowId }) => (await options.isRunning?.(workflowId)) ?? true,
    joinWorkflow: async (asked) => {
      did(`join:${asked.workflowId}`);
      return options.joined?.(asked) ?? { status: 'ended' };
    },
  };
  return {
    activities,
    calls,
    fail: (name: string, code: string, times = 1) => faults.set(name, { times, code }),
    state: () => state,
    version,
    /** The results of searches. */
    tables,
  };
}

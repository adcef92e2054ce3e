import { z } from 'zod';
import { nameSchema } from '../base/ids.js';
import { type LoopConfig, loopConfigSchema } from '../config.js';
import type { IterationRow } from '../messages.js';
import { sameConfig } from '../settings/loopConfig.js';
import { mergeSettings } from '../settings/settings.js';
import { forceSchema, type StepResults, stepResultsSchema } from '../steps.js';
import { type Proposal, proposalSchema } from '../tune/proposal.js';
import { withTunedSettings } from '../tune/space.js';

/** One attempt at an iteration: its results, and its error if it failed. */
export const iterationAttemptSchema = z.object({
  runId: z.string(),
  status: z.enum(['finished', 'failed']),
  error: z.string().nullable(),
  results: stepResultsSchema,
  config: loopConfigSchema,
  /** The steps that this attempt did again although they were done; a retry of it must not do them once more. */
  force: forceSchema.nullable().default(null),
  recordedAt: z.string(),
});
export type IterationAttempt = z.infer<typeof iterationAttemptSchema>;

/** `loops/<loop>/state.json`: the loop's record, from which a stopped or rebuilt loop continues. */
export const loopStateSchema = z.object({
  loop: nameSchema,
  iterations: z.array(
    z.object({
      iteration: z.number().int().positive(),
      /** The attempt that later iterations build on. */
      current: iterationAttemptSchema,
      /** Every other attempt, oldest first. */
      others: z.array(iterationAttemptSchema),
    }),
  ),
  /** Training settings that the last search found better; null if it found none or they were adopted. */
  proposal: proposalSchema.nullable().default(null),
  /** Adopted settings, with which later iterations train. */
  adopted: proposalSchema.nullable().default(null),
  /** The settings that were last in force; null in an older state, which does not have them. */
  config: loopConfigSchema.nullable().default(null),
});
export type LoopState = z.infer<typeof loopStateSchema>;

export const emptyLoopState = (loop: string): LoopState => ({
  loop,
  iterations: [],
  proposal: null,
  adopted: null,
  config: null,
});

/**
 * The state after an attempt was recorded. A finished attempt replaces an earlier one only if nothing builds on that:
 * in the latest finished iteration, or if the earlier attempt failed. Recording the same run twice changes nothing.
 */
export function withAttempt(state: LoopState, iteration: number, attempt: IterationAttempt): LoopState {
  const existing = state.iterations.find((entry) => entry.iteration === iteration);
  if (existing === undefined) {
    const iterations = [...state.iterations, { iteration, current: attempt, others: [] }];
    return { ...state, iterations: iterations.sort((a, b) => a.iteration - b.iteration) };
  }
  // Failed iterations after it are done again on top of the new attempt.
  const latest = nextIteration(state) - 1;
  const sameRun = existing.current.runId === attempt.runId;
  const replaces =
    sameRun || existing.current.status === 'failed' || (attempt.status === 'finished' && iteration === latest);
  const others = existing.others.filter((entry) => entry.runId !== attempt.runId);
  const updated = replaces
    ? { iteration, current: attempt, others: sameRun ? others : [...others, existing.current] }
    : { iteration, current: existing.current, others: [...others, attempt] };
  return { ...state, iterations: state.iterations.map((entry) => (entry.iteration === iteration ? updated : entry)) };
}

/** The state after a search: its proposal replaces an earlier one, even if it has none. */
export const withProposal = (state: LoopState, proposal: Proposal | null): LoopState => ({ ...state, proposal });

/** The state after somebody adopted the proposal; unchanged if there is none. */
export function withAdopted(state: LoopState): LoopState {
  if (state.proposal === null) return state;
  const { settings } = state.proposal;
  const config =
    state.config === null
      ? null
      : loopConfigSchema.parse({ ...state.config, train: withTunedSettings(state.config.train, settings) });
  return { ...state, proposal: null, adopted: state.proposal, config };
}

/** The state with the settings that are now in force; the same object if nothing changes. */
export const withConfig = (state: LoopState, config: LoopConfig): LoopState =>
  state.config !== null && sameConfig(state.config, config) ? state : { ...state, config };

/**
 * The settings with which the loop continues: those last in force. An older state does not have them; then those of its
 * newest iteration, with the settings adopted since. Null for a loop that has done nothing.
 */
export function ownConfig(state: LoopState): LoopConfig | null {
  if (state.config !== null) return state.config;
  const last = state.iterations.at(-1)?.current.config;
  if (last === undefined) return null;
  return loopConfigSchema.parse(mergeSettings(last, adoptedSettings(state)));
}

/** The newest attempt at an iteration, even if later iterations do not build on it. */
export function newestAttempt({ current, others }: LoopState['iterations'][number]): IterationAttempt {
  return [...others, current].reduce((newest, each) => (each.recordedAt >= newest.recordedAt ? each : newest));
}

/** Adopted settings, shaped as settings of a loop. */
export const adoptedSettings = ({ adopted }: Pick<LoopState, 'adopted'>): unknown =>
  adopted === null ? {} : { train: withTunedSettings({ augment: {} }, adopted.settings) };

/** The next iteration to run: the one after the last that finished. */
export function nextIteration(state: LoopState): number {
  const finished = state.iterations.filter((entry) => entry.current.status === 'finished');
  return Math.max(0, ...finished.map((entry) => entry.iteration)) + 1;
}

/**
 * The images that the steps of an iteration left out, by reason; null if there were none or they were not counted yet.
 */
export function leftOutText({ draw, scan, sample, train, evaluate }: StepResults): string | null {
  const unreadable = scan?.facts.unreadable ?? 0;
  const parts: [string, string | null | undefined][] = [
    ['draw', draw?.facts.missingWhy],
    ['scan', unreadable > 0 ? `${unreadable} unreadable` : null],
    ['sample', sample?.facts.leftOutWhy],
    ['train', train?.facts.leftOutWhy],
    ['test', evaluate?.facts.leftOutWhy],
  ];
  const told = parts.flatMap(([step, why]) => (why == null ? [] : [`${step}: ${why}`]));
  return told.length === 0 ? null : told.join('; ');
}

export function iterationRow(
  iteration: number,
  attempt: Pick<IterationAttempt, 'status' | 'error'> & { results: StepResults },
): IterationRow {
  const { results } = attempt;
  return {
    iteration,
    status: attempt.status,
    drawn: results.draw?.facts.drawn ?? null,
    flagged: results.scan?.facts.quarantined ?? null,
    sampled: results.sample?.facts.sampled ?? null,
    trainingSet: results.sample?.facts.trainingSet ?? null,
    leftOut: leftOutText(results),
    miou: results.evaluate?.facts.miou ?? null,
    benchmarkMiou: results.decide?.facts.benchmarkMiou ?? null,
    gate: results.decide?.facts.gate ?? null,
    seconds: Math.round(Object.values(results).reduce((sum, result) => sum + result.seconds, 0)),
    error: attempt.error,
  };
}

const ROWS_KEPT = 20;

/** The newest iterations as rows, the oldest first; a loop carries them and people see them. */
export const recentRows = (state: LoopState): IterationRow[] =>
  state.iterations.slice(-ROWS_KEPT).map(({ iteration, current }) => iterationRow(iteration, current));

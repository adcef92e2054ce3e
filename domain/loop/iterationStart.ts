import { PartloopError } from '../base/errors.js';
import type { LoopConfig } from '../config.js';
import { configWith } from '../settings/loopConfig.js';
import { knownSettings } from '../settings/settings.js';
import type { IterationContext, Step } from '../steps.js';
import { type IterationAttempt, type LoopState, newestAttempt, nextIteration } from './state.js';

/** The requested iteration and the kind of request. */
export interface IterationRequest {
  loop: string;
  iteration: number;
  /** The loop's settings; null if a recorded iteration keeps its own. */
  config: LoopConfig | null;
  /** The first step that a forced replay does again; absent for a retry and for a new iteration. */
  from: Step | null | undefined;
  /** Changes of the request to the settings. */
  settings?: Record<string, unknown> | null;
}

/** The start of an iteration. */
export interface IterationStart {
  /** The loop has not finished this iteration yet, and it comes after all others. */
  isNext: boolean;
  config: LoopConfig;
  /** The attempt whose results may be taken over; null if there is none. */
  before: IterationAttempt | null;
  /** The forced replay of the newest attempt, if that failed: a retry does the same steps again. */
  failedForce: IterationContext['force'];
}

/**
 * The start of an iteration, derived from the loop's record. A failed iteration continues as it was requested; a replay
 * begins with the results that later iterations build on.
 *
 * @throws PartloopError `not-found` if the loop has no such iteration
 */
export function iterationStart(
  state: LoopState,
  { loop, iteration, config, from, settings }: IterationRequest,
): IterationStart {
  const own = state.iterations.find((entry) => entry.iteration === iteration);
  const newest = own === undefined ? null : newestAttempt(own);
  const isNext = iteration === nextIteration(state);
  const before = from == null ? newest : (own?.current ?? null);
  const base = isNext ? (config ?? before?.config) : (before?.config ?? config);
  if (base == null || (own === undefined && !isNext)) {
    throw new PartloopError(
      'not-found',
      `loop \`${loop}\` has no iteration ${iteration}; it has done ${nextIteration(state) - 1}`,
    );
  }
  return {
    isNext,
    config: settings == null ? base : configWith(base, knownSettings(settings)),
    before,
    failedForce: newest?.status === 'failed' ? newest.force : null,
  };
}

/**
 * The results of the newest finished iteration before this one; null if there is none.
 *
 * @throws PartloopError `data-invalid` if it is marked finished but lacks some
 */
export function previousResults(state: LoopState, iteration: number): IterationContext['previous'] {
  const before = state.iterations
    .filter((entry) => entry.iteration < iteration && entry.current.status === 'finished')
    .at(-1);
  if (before === undefined) return null;
  const { draw, scan, sample, train, evaluate, control } = before.current.results;
  if (draw && scan && sample && train && evaluate)
    return { draw, scan, sample, train, evaluate, ...(control === undefined ? {} : { control }) };
  const there = Object.keys(before.current.results).join(', ');
  throw new PartloopError(
    'data-invalid',
    `iteration ${before.iteration} of loop \`${state.loop}\` is marked finished but has only ${there}`,
    { hint: `Replay it: \`partloop iteration replay ${state.loop} ${before.iteration} --from draw\`.` },
  );
}

import { PartloopError } from '../base/errors.js';
import type { LoopConfig } from '../config.js';
import { configWith } from '../settings/loopConfig.js';
import { knownSettings } from '../settings/settings.js';
import type { IterationContext, Step } from '../steps.js';
import { type IterationAttempt, type LoopState, newestAttempt, nextIteration } from './state.js';

/** Which iteration is asked for, and how. */
export interface IterationRequest {
  loop: string;
  iteration: number;
  /** The loop's settings; null where a recorded iteration goes by its own. */
  config: LoopConfig | null;
  /** The first step that a forced replay does again; nothing for a retry and for a new iteration. */
  from: Step | null | undefined;
  /** What the request changes of the settings. */
  settings?: Record<string, unknown> | null;
}

/** What an iteration begins with. */
export interface IterationStart {
  /** One that the loop has not finished yet, after all that it has. */
  isNext: boolean;
  config: LoopConfig;
  /** The attempt whose results may be taken over; null where there is none. */
  before: IterationAttempt | null;
  /** The newest attempt's forced replay where it failed: a retry does the same steps again. */
  failedForce: IterationContext['force'];
}

/**
 * Where an iteration begins, by what the loop has done. One that failed goes on as it was asked for; a replay begins
 * with what later iterations build on.
 *
 * @throws PartloopError `not-found` where the loop has no such iteration
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
 * The results of the newest finished iteration before this one; null where there is none.
 *
 * @throws PartloopError `data-invalid` where it is marked finished and lacks some
 */
export function previousResults(state: LoopState, iteration: number): IterationContext['previous'] {
  const before = state.iterations
    .filter((entry) => entry.iteration < iteration && entry.current.status === 'finished')
    .at(-1);
  if (before === undefined) return null;
  const { draw, scan, sample, train, evaluate } = before.current.results;
  if (draw && scan && sample && train && evaluate) return { draw, scan, sample, train, evaluate };
  const there = Object.keys(before.current.results).join(', ');
  throw new PartloopError(
    'data-invalid',
    `iteration ${before.iteration} of loop \`${state.loop}\` is marked finished but has only ${there}`,
    { hint: `Replay it: \`partloop iteration replay ${state.loop} ${before.iteration} --from draw\`.` },
  );
}

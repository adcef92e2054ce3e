import { iterationRow, type LoopState, nextIteration } from '../loopState.js';
import type { LoopStatus } from '../messages.js';

/** What is known of a loop that does not run: all that it did, and what its last iteration failed with. */
export function storedStatus(state: LoopState): LoopStatus {
  const rows = state.iterations.map(({ iteration, current }) => iterationRow(iteration, current));
  const next = nextIteration(state);
  const last = rows.at(-1);
  const failed = last?.status === 'failed' && last.iteration === next ? last : null;
  return {
    loop: state.loop,
    phase: 'stopped',
    iteration: null,
    step: null,
    remaining: 0,
    pending: null,
    nextIteration: next,
    error: failed === null ? null : `iteration ${failed.iteration}: ${failed.error ?? 'failed'}`,
    proposal: state.proposal,
    rows: rows.slice(-20),
  };
}

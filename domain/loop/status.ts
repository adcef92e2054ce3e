import type { IterationRow, LoopStatus } from '../messages.js';
import type { LoopMachine } from './machine.js';
import { type LoopState, nextIteration, recentRows } from './state.js';

/** The newest iteration if its record says that it failed; null if the next one has not begun. */
export function failedRow(rows: readonly IterationRow[], next: number): IterationRow | null {
  const last = rows.at(-1);
  return last?.status === 'failed' && last.iteration === next ? last : null;
}

export function phaseOf(machine: LoopMachine): LoopStatus['phase'] {
  const { stopping, running, paused, failure, waiting, remaining, again } = machine;
  if (stopping !== 'no') return running === null ? 'stopped' : 'stopping';
  if (paused) return running === null || running.held ? 'paused' : 'pausing';
  if (running !== null || again !== null) return 'running';
  if (failure !== null) return 'failed';
  if (waiting && (remaining > 0 || machine.config?.policy.begin === 'by-itself')) return 'waiting for images';
  return remaining > 0 ? 'running' : 'idle';
}

/** The images that there are to draw and the number that the loop waits for; null if it does not count them. */
function newImagesOf({ config, undrawn, waiting }: LoopMachine): LoopStatus['newImages'] {
  return config === null || undrawn === null || !waiting ? null : { undrawn, needed: config.policy.newImages };
}

export function statusOf(loop: string, machine: LoopMachine): LoopStatus {
  return {
    loop,
    phase: phaseOf(machine),
    iteration: machine.running?.iteration ?? null,
    remaining: machine.remaining,
    pending: machine.pending?.iterations ?? null,
    nextIteration: machine.next,
    error: machine.failure?.error ?? null,
    newImages: newImagesOf(machine),
    proposal: machine.proposal,
    rows: [...machine.rows],
  };
}

/**
 * One line of advice about a loop's last failure: a retry, if the failure itself names no command. Null if nothing
 * failed, or if the loop already acts on it.
 */
export function nextStep({ loop, phase, error }: Pick<LoopStatus, 'loop' | 'phase' | 'error'>): string | null {
  if (error === null || (phase !== 'failed' && phase !== 'stopped') || error.includes('`partloop ')) return null;
  return `\`partloop loop retry ${loop}\` continues after the last finished step.`;
}

/** The status of a loop that does not run: its record, and the error of its last iteration. */
export function storedStatus(state: LoopState): LoopStatus {
  const rows = recentRows(state);
  const next = nextIteration(state);
  const failed = failedRow(rows, next);
  return {
    loop: state.loop,
    phase: 'stopped',
    iteration: null,
    remaining: 0,
    pending: null,
    nextIteration: next,
    error: failed === null ? null : `iteration ${failed.iteration}: ${failed.error ?? 'failed'}`,
    newImages: null,
    proposal: state.proposal,
    rows,
  };
}

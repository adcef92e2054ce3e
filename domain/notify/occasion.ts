import { iterationWorkflowId } from '../base/ids.js';
import { oneLine } from '../base/oneLine.js';
import type { DecideResult } from '../decide/step.js';
import { type IterationAttempt, iterationRow, type LoopState } from '../loop/state.js';

/** What a webhook hears of. */
export const NOTIFY_EVENTS = [
  'iteration.finished',
  'iteration.failed',
  'decision.made',
  'approval.needed',
  'loop.halted',
  'cleanup.failed',
] as const;
export type NotifyEvent = (typeof NOTIFY_EVENTS)[number];

/** Something that happened in an iteration, or to the whole store, and that somebody wants to hear of. */
export interface Occasion {
  event: NotifyEvent;
  /** Both null where it concerns no iteration. */
  loop: string | null;
  iteration: number | null;
  /** The workflow to look at. */
  workflowId: string;
  /** What makes it the same occasion when it is told again: a run, or the digest of a decision. */
  of: string;
  /** One sentence or two, without markup. */
  text: string;
  /** Small facts: counts, mIoU, the gate; an IoU is between 0 and 1, times are in seconds. */
  figures: Readonly<Record<string, number | string | boolean | null>>;
  /** Key of the report; null if there is none yet. */
  report: string | null;
}

/** Letters of an error in a message. */
export const MAX_ERROR = 500;
/** So many failures of one iteration in a row mean that trying again does not help by itself. */
const REPEATED = 2;

/** What the gate said. A decision that waits for a person says so; any other is one message. */
export function decisionOccasion(loop: string, iteration: number, { digest, facts }: DecideResult): Occasion {
  const { gate = null, gain = null, lower = null, upper = null, benchmarkMiou = null } = facts;
  const waits = facts.pendingApproval === true;
  const change = gain === null ? '' : `, ${signed(gain)} mIoU (${signed(lower)} to ${signed(upper)})`;
  const next = waits ? `. Approve with: partloop iteration approve ${loop} ${iteration}` : '';
  return {
    event: waits ? 'approval.needed' : 'decision.made',
    ...{ loop, iteration, workflowId: iterationWorkflowId(loop, iteration), of: digest },
    text: `${loop}, iteration ${iteration}: ${waits ? 'approval needed' : `gate ${gate ?? 'unknown'}`}${change}${next}`,
    figures: { gate, gain, lower, upper, benchmarkMiou, promoted: facts.promoted ?? null },
    report: null,
  };
}

/** What a recorded attempt is worth telling of: its end, its decision, and that its iteration fails again and again. */
export function attemptOccasions(state: LoopState, iteration: number, attempt: IterationAttempt): Occasion[] {
  const { loop } = state;
  const { results, status, runId } = attempt;
  const decided = results.decide === undefined ? [] : [decisionOccasion(loop, iteration, results.decide)];
  const { error: _, iteration: __, status: ___, leftOut, flagged, ...row } = iterationRow(iteration, attempt);
  const workflowId = iterationWorkflowId(loop, iteration);
  const common = { loop, iteration, workflowId, of: runId, report: results.report?.outputs.report ?? null };
  if (status === 'finished') {
    const found = [
      row.miou === null ? null : `mIoU ${row.miou.toFixed(4)}`,
      row.gate === null ? null : `gate ${row.gate}`,
      row.drawn === null ? null : `${row.drawn} images drawn`,
      flagged === null ? null : `${flagged} set aside`,
      leftOut === null ? null : `left out: ${leftOut}`,
    ].filter((part) => part !== null);
    const text = `${loop}, iteration ${iteration} finished: ${found.join(', ')}`;
    return [...decided, { event: 'iteration.finished', ...common, text, figures: { ...row, setAside: flagged } }];
  }
  const failures = failuresInRow(state, iteration);
  const error = oneLine(attempt.error ?? 'no reason is known').slice(0, MAX_ERROR);
  const figures = { error, failures, seconds: row.seconds };
  const failed = { event: 'iteration.failed', ...common, text: `${loop}, iteration ${iteration} failed: ${error}` };
  const times = `${loop} stands still: iteration ${iteration} failed ${failures} times in a row. Last: ${error}`;
  return [
    ...decided,
    { ...failed, event: 'iteration.failed', figures },
    ...(failures < REPEATED ? [] : [{ event: 'loop.halted' as const, ...common, text: times, figures }]),
  ];
}

/** How many of the newest attempts at an iteration failed, up to one that did not. */
function failuresInRow({ iterations }: LoopState, iteration: number): number {
  const entry = iterations.find((one) => one.iteration === iteration);
  if (entry === undefined) return 0;
  const newest = [...entry.others, entry.current].sort((a, b) => (a.recordedAt < b.recordedAt ? 1 : -1));
  const end = newest.findIndex(({ status }) => status !== 'failed');
  return end < 0 ? newest.length : end;
}

const signed = (value: number | null): string =>
  value === null ? '–' : `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(4)}`;

import type { Machine } from '../machine.js';
import type { Drawn } from './measure/drawn.js';
import type { Run } from './measure/histories.js';
import type { IterationCost } from './measure/iterations.js';
import type { PrefixSize } from './measure/storeSize.js';
import type { Use } from './measure/use.js';

/** What a run of the bench was asked for. */
export interface ScaleOptions {
  rows: number;
  iterations: number;
  chunk: number;
}

/** Everything that a run of the bench measured. */
export interface ScaleFigures {
  asked: ScaleOptions;
  machine: Machine;
  costs: IterationCost[];
  runs: Pick<Run, 'workflowId' | 'type' | 'events' | 'bytes' | 'largestPayload'>[];
  store: PrefixSize[];
  processes: Record<string, Use>;
  drawn: Drawn;
  /** Training images that draws found to be copies of test images: they are never drawn. */
  copies: number;
  /** Training images that a next iteration could draw. */
  left: number;
}

/** An iteration's time on the users' hardware: a scan of 20 hours and a training of a day. */
const ITERATION_SECONDS = 2 * 86_400;
const WANTED_SHARE = 0.01;
const WANTED_EVENTS = 2_000;
const WANTED_BYTES = 1e6;
const WANTED_PAYLOAD = 64_000;

export interface Claim {
  claim: string;
  figure: string;
  wanted: string;
  holds: boolean;
}

/** What the bench is there to show, with what it found. */
export function claimsOf({ asked, costs, runs, drawn, copies, left }: ScaleFigures): Claim[] {
  const slowest = Math.max(...costs.map(({ seconds }) => seconds));
  const share = slowest / ITERATION_SECONDS;
  const events = Math.max(...runs.map((run) => run.events));
  const bytes = Math.max(...runs.map((run) => run.bytes));
  const payload = Math.max(...runs.map((run) => run.largestPayload));
  const may = asked.rows - copies;
  const expected = Math.min(may, asked.iterations * asked.chunk);
  return [
    claim('iterations finished', costs.length, asked.iterations, costs.length === asked.iterations),
    claim(
      'the slowest iteration, as a share of two days',
      `${slowest.toFixed(0)} s, ${(100 * share).toFixed(2)} %`,
      `${100 * WANTED_SHARE} %`,
      share <= WANTED_SHARE,
    ),
    claim('events of the longest history', events, `at most ${WANTED_EVENTS}`, events <= WANTED_EVENTS),
    claim('bytes of the largest history', bytes, `at most ${WANTED_BYTES}`, bytes <= WANTED_BYTES),
    claim('bytes of the largest payload', payload, `at most ${WANTED_PAYLOAD}`, payload <= WANTED_PAYLOAD),
    claim('images drawn twice', drawn.drawn - drawn.different, 0, drawn.drawn === drawn.different),
    claim('images drawn', drawn.different, expected, drawn.different === expected),
    claim('images left to draw, without copies of test images', left, may - expected, left === may - expected),
  ];
}

const claim = (name: string, figure: string | number, wanted: string | number, holds: boolean): Claim => ({
  claim: name,
  figure: String(figure),
  wanted: String(wanted),
  holds,
});

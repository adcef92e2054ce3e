import type { Machine } from '../machine.js';
import { type Cell, fixed, markdownTable } from '../results.js';
import type { Sizes } from './madeUp.js';
import type { Shown, Toggled } from './probe.js';

/** A share of a minute's work, in answers per minute, that one person does. */
export interface Pace {
  /** Seconds of thinking per answer, at the median. */
  thinking: number;
  perMinute: number;
  shown: Shown[];
}

/** Everything that a run measured. Times are milliseconds, memory is megabytes of the board's process. */
export interface BoardFigures {
  asked: Sizes;
  machine: Machine;
  /** Mean number of programs that wanted a core while this ran, and the cores. */
  load: { mean: number; cores: number };
  startedMs: number[];
  firstCold: number[];
  firstAgain: number[];
  alone: number[];
  filters: { query: string; ms: number[] }[];
  toggled: Toggled[];
  paces: Pace[];
  use: { after: string; resident: number; peak: number; coreSeconds: number }[];
}

/** A frame at 60 a second, milliseconds. */
const FRAME = 1_000 / 60;
const WANTED = { first: 1_000, ahead: 100, alone: 400, filter: 300, memory: 500, perMinute: 40 } as const;

export interface Claim {
  claim: string;
  figure: string;
  wanted: string;
  holds: boolean;
}

/** Findings whose labels were there before the key. */
export const fetchedAhead = (shown: readonly Shown[]): number[] =>
  shown.flatMap(({ at, pressed, ready }) => (pressed !== null && ready <= pressed ? at - pressed : []));
const notAhead = (shown: readonly Shown[]): number[] =>
  shown.flatMap(({ at, pressed, ready }) => (pressed !== null && ready > pressed ? at - pressed : []));

/** The value below which a share of the others lies; NaN of none. */
export const percentile = (values: readonly number[], share: number): number => {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
};

/** What the board promises at this size, with what was found. */
export function claimsOf(figures: BoardFigures): Claim[] {
  const { firstCold, firstAgain, alone, filters, toggled, paces, use } = figures;
  const human = paces.filter(({ thinking }) => thinking > 0);
  const ahead = fetchedAhead(human.flatMap(({ shown }) => shown));
  const work = toggled.map((one) => (one.inFirst ? one.work : Number.POSITIVE_INFINITY));
  return [
    atMost('first page after the start, median', percentile(firstCold, 0.5), WANTED.first),
    atMost('first page of an open scan, p95', percentile(firstAgain, 0.95), WANTED.first),
    atMost('next finding, fetched ahead, p95', percentile(ahead, 0.95), WANTED.ahead),
    atMost('next finding, not fetched ahead, p95', percentile(alone, 0.95), WANTED.alone),
    atMost(
      'filter, p95',
      percentile(
        filters.flatMap(({ ms }) => ms),
        0.95,
      ),
      WANTED.filter,
    ),
    atMost('overlay toggle, p95', percentile(work, 0.95), FRAME),
    atMost('memory at its peak, MB', Math.max(...use.map(({ peak }) => peak)), WANTED.memory),
    ...human.map(
      ({ thinking, perMinute }): Claim => ({
        claim: `answers per minute, ${thinking} s of thinking`,
        ...{ figure: perMinute.toFixed(0), wanted: `at least ${WANTED.perMinute}` },
        holds: perMinute >= WANTED.perMinute,
      }),
    ),
  ];
}

function atMost(name: string, value: number, most: number): Claim {
  const isTime = !name.includes('MB');
  const text = `${value.toFixed(value < FRAME * 2 ? 1 : 0)}${isTime ? ' ms' : ''}`;
  const wanted = `at most ${isTime && most === FRAME ? 'a frame, 16.7' : most}${isTime ? ' ms' : ''}`;
  return { claim: name, figure: text, wanted, holds: value <= most };
}

/** All tables of a run, as markdown. */
export function figuresText(figures: BoardFigures): string {
  const { load, startedMs, firstCold, firstAgain, alone, filters, toggled, paces, use } = figures;
  const claims = claimsOf(figures).map(({ holds, ...claim }) => ({ ...claim, '': holds ? '' : '**short**' }));
  const times = [
    timesRow('the process listens', startedMs),
    timesRow('first page after the start', firstCold),
    timesRow('first page of an open scan', firstAgain),
    timesRow('next finding, not fetched ahead', alone),
    ...filters.map(({ query, ms }) => timesRow(`filter ${query}`, ms)),
    ...[...new Set(toggled.map(({ key }) => key))].map((key) =>
      timesRow(
        `key ${key === ' ' ? 'Space' : key}: work to the drawn overlay`,
        toggled.filter((one) => one.key === key).map(({ work }) => work),
      ),
    ),
    ...paces.flatMap(({ thinking, shown }) => [
      timesRow(`next finding, fetched ahead, ${thinking} s of thinking`, fetchedAhead(shown)),
      timesRow(`the same, under way when the key came`, notAhead(shown)),
    ]),
  ];
  const people = paces.map(({ thinking, perMinute, shown }) => ({
    ...{ 'seconds of thinking': thinking, answers: shown.length, 'answers per minute': fixed(perMinute, 0) },
  }));
  const megabytes = use.map(({ after, resident, peak, coreSeconds }) => ({
    ...{ after, 'MB now': fixed(resident, 0), 'MB at its peak': fixed(peak, 0), 'core s': fixed(coreSeconds, 1) },
  }));
  const missed = toggled.filter(({ inFirst }) => !inFirst).length;
  const notes = [
    `Toggles that were not drawn in the first frame after the key: ${missed} of ${toggled.length}.`,
    `Programs that wanted a core meanwhile, on ${load.cores}: ${load.mean.toFixed(1)}.`,
  ];
  return ['', ...[claims, times, people, megabytes].map((rows) => markdownTable(rows)), ...notes].join('\n\n');
}

const timesRow = (what: string, ms: readonly number[]): Record<string, Cell> => ({
  ...{ milliseconds: what, times: ms.length, median: fixed(percentile(ms, 0.5), 1) },
  ...{ p95: fixed(percentile(ms, 0.95), 1), most: fixed(percentile(ms, 1), 1) },
});

import type { Cost } from '../processes.js';

/** Temporal's own bounds are 2 MB and 51,200; these are what was wanted of an ingest. */
export const MOST_PAYLOAD = 64 * 1_024;
export const MOST_EVENTS = 2_000;

/** One import of so many images, from its start until all are in the pool. */
export interface ImportFigures {
  way: 'coco' | 'ingest';
  images: number;
  /** Whether a process was killed in the middle. */
  killed: boolean;
  wallSeconds: number;
  coreSeconds: number;
  costs: Cost[];
  /** As the last report or the receipt says. */
  added: number;
  known: number;
  refused: number;
  /** In the pool afterwards, and rows of its index: more rows than images are images that came in twice. */
  pool: PoolFigures;
  /** Of the workflow; null for an import from a disk. */
  history: HistoryFigures | null;
}

export interface PoolFigures {
  images: number;
  rows: number;
  segments: number;
  pictures: number;
  labels: number;
  objects: number;
}

export interface HistoryFigures {
  events: number;
  bytes: number;
  largestPayload: number;
}

/** What is wrong with an import, as sentences; empty if it is as wanted. */
export function faultsOf(figures: ImportFigures): string[] {
  const { way, images, killed, added, known, refused, pool, history } = figures;
  const name = `${way} of ${images}${killed ? ', killed' : ''}`;
  const faults: string[] = [];
  const check = (isRight: boolean, fault: string): void => {
    if (!isRight) faults.push(`${name}: ${fault}`);
  };
  check(refused === 0, `${refused} images were refused`);
  // A drop counts what an earlier try brought in as added; an import that is run again knows it.
  check(added + known === images, `${added} added and ${known} known`);
  check(killed || known === 0, `${known} images were known before`);
  check(way === 'coco' || known === 0, `its receipt says that ${known} images were known`);
  check(pool.images === images, `the pool has ${pool.images} images`);
  check(pool.rows === images, `the index has ${pool.rows} rows`);
  check(pool.pictures === images, `the store has ${pool.pictures} pictures`);
  check(pool.labels === images, `the store has ${pool.labels} labels`);
  if (history === null) return faults;
  check(history.events <= MOST_EVENTS, `its history has ${history.events} events, more than ${MOST_EVENTS}`);
  check(
    history.largestPayload <= MOST_PAYLOAD,
    `a payload of its history has ${history.largestPayload} bytes, more than ${MOST_PAYLOAD}`,
  );
  return faults;
}

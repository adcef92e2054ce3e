import type { ChaosHome } from '../chaosHome.js';
import type { Account } from '../outcome/account.js';
import type { Journal } from '../outcome/journal.js';

export const FAULT_KINDS = [
  'sigkill',
  'sigstop',
  'sigterm',
  's3-errors',
  's3-slow',
  's3-blackhole',
  's3-truncated',
  's3-forbidden',
  'disk-full',
  'damage',
  'delete',
  'reset',
  'terminate',
  'restart',
  'start',
  'schedule',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** What faults act on. */
export interface World {
  home: ChaosHome;
  loop: string;
  /** Iterations that the loop is to do in the end. */
  iterations: number;
  account: Account;
  journal: Journal;
  random: () => number;
  signal: AbortSignal;
  /** One start, retry or termination at a time: each is checked against what was promised before. */
  inTurn<T>(work: () => Promise<T>): Promise<T>;
}

/**
 * One way to break something. `inject` ends when it is over; it says what it did, or null if there was nothing to
 * hit.
 */
export interface Fault {
  kind: FaultKind;
  target: string;
  inject(world: World): Promise<string | null>;
}

export const between = (random: () => number, low: number, high: number): number => low + random() * (high - low);

export function drawn<T>(random: () => number, items: readonly T[]): T | null {
  return items[Math.floor(random() * items.length)] ?? null;
}

import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { PartloopError } from '../../domain/base/errors.js';
import type { ObjectStore } from './objectStore.js';

/** Number of writers in a row that may be faster before a write is given up. */
const MAX_RACES = 20;
/** The longest wait after the first lost race, in milliseconds; it grows with each. */
const WAIT_MS = 10;

/** An object as read before a change. */
export interface Read<Value> {
  value: Value;
  /** null if there is no object yet. */
  etag: string | null;
}

/** A change of an object; `Body` is `string` for a change that always writes. */
export interface Swap<Value, Result, Body extends string | null = string | null> {
  read(): Promise<Read<Value>>;
  /** Called again, with the newer value, each time that another writer was first. */
  decide(value: Value): Decision<Result, Body> | Promise<Decision<Result, Body>>;
  /** The purpose of the write, for the error if it is given up; `to write it` if omitted. */
  purpose?: string;
}

interface Decision<Result, Body> {
  /** The new object; null if nothing is to be written. */
  body: Body;
  result: Result;
}

interface Swapped<Result, Etag> {
  result: Result;
  /** ETag of the object afterwards; null if there is no object and nothing was to be written. */
  etag: Etag;
}

/**
 * Change one object by conditional writes: read, decide, write if nobody else has written since. The loser of a race
 * decides again.
 *
 * @throws PartloopError `store-conflict` naming the key if 20 other writers in a row were faster
 */
export async function compareAndSwap<Value, Result>(
  store: ObjectStore,
  key: string,
  swap: Swap<Value, Result, string>,
): Promise<Swapped<Result, string>>;
export async function compareAndSwap<Value, Result>(
  store: ObjectStore,
  key: string,
  swap: Swap<Value, Result>,
): Promise<Swapped<Result, string | null>>;
export async function compareAndSwap<Value, Result>(
  store: ObjectStore,
  key: string,
  { read, decide, purpose = 'to write it' }: Swap<Value, Result>,
): Promise<Swapped<Result, string | null>> {
  return untilWon(
    async () => {
      const { value, etag } = await read();
      const { body, result } = await decide(value);
      if (body === null) return { result, etag };
      const written = await store.replace(key, body, etag);
      return written === 'conflict' ? 'conflict' : { result, etag: written.etag };
    },
    (races) => `${key} changed under ${races} attempts ${purpose}`,
  );
}

/**
 * Try a conditional write until no other writer was first, with a short random wait after each lost race.
 *
 * @param givenUp names the contended object, after that many races
 * @throws PartloopError `store-conflict` after 20 lost races
 */
export async function untilWon<Result>(
  attempt: () => Promise<Result | 'conflict'>,
  givenUp: (races: number) => string,
): Promise<Result> {
  for (let race = 1; race <= MAX_RACES; race++) {
    const result = await attempt();
    if (result !== 'conflict') return result;
    if (race < MAX_RACES) await sleep(randomInt(WAIT_MS * race));
  }
  throw new PartloopError('store-conflict', givenUp(MAX_RACES));
}

import { type Round, roundSchema } from '../domain/review/propagate/round.js';
import { keys } from './keys.js';
import type { ObjectStore } from './objects/objectStore.js';
import { parseJson } from './tables/json.js';

/** The newest round of a scan; null if findings were never drawn from it. */
export async function newestRound(store: ObjectStore, pool: string, scan: string): Promise<Round | null> {
  let newest: string | null = null;
  for await (const { key } of store.list(keys.roundPrefix(pool, scan)))
    if (key.endsWith('.json') && (newest === null || key > newest)) newest = key;
  if (newest === null) return null;
  const there = await store.tryGet(newest);
  return there === null ? null : parseJson(there.body, newest, roundSchema);
}

/** Add a round; `exists` if somebody else added one of its number. */
export async function addRound(store: ObjectStore, round: Round): Promise<'created' | 'exists'> {
  const key = keys.round(round.pool, round.scan, round.number);
  return store.putIfAbsent(key, JSON.stringify(roundSchema.parse(round)), 'application/json');
}

/** Scans of a pool from which findings were drawn, in order. */
export async function scansWithRounds(store: ObjectStore, pool: string): Promise<string[]> {
  const prefix = keys.roundsPrefix(pool);
  const scans = new Set<string>();
  for await (const { key } of store.list(prefix)) {
    const [scan = '', file] = key.slice(prefix.length).split('/');
    if (file !== undefined) scans.add(scan);
  }
  return [...scans].sort();
}

import { createHash } from 'node:crypto';
import { type Verdict, verdictSchema } from '../domain/review.js';
import { parseJson } from './json.js';
import { keys } from './keys.js';
import type { ObjectStore } from './objectStore.js';
import { ulid } from './ulid.js';

/** What reviewers have said of a pool so far. */
export interface Reviews {
  /** In the order in which they were given. */
  verdicts: Verdict[];
  /** The objects they were read from, oldest first: reading these again gives the same verdicts. */
  keys: string[];
  /** Of those names; null where there is no review. */
  digest: string | null;
}

/** Add verdicts as one new object; nothing that is there changes. Returns its key. */
export async function appendReviews(
  store: ObjectStore,
  pool: string,
  verdicts: readonly Verdict[],
  now: Date,
): Promise<string> {
  const key = keys.reviews(pool, ulid(now));
  const lines = verdicts.map((verdict) => `${JSON.stringify(verdictSchema.parse(verdict))}\n`).join('');
  await store.put(key, lines, 'application/x-ndjson');
  return key;
}

/**
 * All verdicts of a pool, or those of the objects `only`.
 *
 * @throws PartloopError `data-invalid` naming the object and the line that is no verdict
 */
export async function readReviews(store: ObjectStore, pool: string, only?: readonly string[]): Promise<Reviews> {
  const names = only === undefined ? await listReviews(store, pool) : [...only];
  const verdicts: Verdict[] = [];
  for (const key of names) {
    const text = new TextDecoder().decode((await store.get(key)).body);
    text.split('\n').forEach((line, index) => {
      if (line.trim() !== '')
        verdicts.push(parseJson(new TextEncoder().encode(line), `${key}:${index + 1}`, verdictSchema));
    });
  }
  const digest = names.length === 0 ? null : createHash('sha256').update(names.join('\n')).digest('hex');
  return { verdicts, keys: names, digest };
}

async function listReviews(store: ObjectStore, pool: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { key } of store.list(keys.reviewsPrefix(pool))) if (key.endsWith('.jsonl')) names.push(key);
  return names.sort();
}

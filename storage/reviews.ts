import { randomUUID } from 'node:crypto';
import { type Verdict, verdictSchema } from '../domain/review.js';
import { parseJson } from './json.js';
import { keys } from './keys.js';
import type { ObjectStore } from './objectStore.js';

/** Add verdicts to a pool as one more file; what is there already stays. Returns its key. */
export async function appendVerdicts(
  store: ObjectStore,
  pool: string,
  verdicts: readonly Verdict[],
  now: Date,
): Promise<string> {
  // Names sort as the files were written.
  const key = keys.reviews(pool, `${now.toISOString().replaceAll(':', '-')}-${randomUUID()}`);
  const lines = verdicts.map((verdict) => `${JSON.stringify(verdictSchema.parse(verdict))}\n`);
  await store.put(key, lines.join(''), 'application/x-ndjson');
  return key;
}

/** All verdicts of a pool, in the order in which they were given, and the names of their files. */
export async function readVerdicts(
  store: ObjectStore,
  pool: string,
): Promise<{ verdicts: Verdict[]; files: string[] }> {
  const files: string[] = [];
  for await (const { key } of store.list(keys.reviewsPrefix(pool))) files.push(key);
  files.sort();
  const verdicts: Verdict[] = [];
  for (const key of files) {
    const text = new TextDecoder().decode((await store.get(key)).body);
    for (const line of text.split('\n').filter((one) => one !== ''))
      verdicts.push(parseJson(new TextEncoder().encode(line), key, verdictSchema));
  }
  return { verdicts, files };
}

import { createHash } from 'node:crypto';
import { z } from 'zod';
import { type AuditAnswer, auditAnswerSchema } from '../domain/auditAnswers.js';
import { type Verdict, verdictSchema } from '../domain/review.js';
import { parseJson } from './json.js';
import { keys } from './keys.js';
import type { ObjectStore } from './objectStore.js';
import { ulid } from './ulid.js';

/** What reviewers have said of a pool so far. */
export interface Reviews {
  /** In the order in which they were given. */
  verdicts: Verdict[];
  /** Answers to images of audit samples, likewise. */
  audits: AuditAnswer[];
  /** The objects they were read from, oldest first: reading these again gives the same verdicts. */
  keys: string[];
  /** Of those names; null where there is no review. */
  digest: string | null;
}

const lineSchema = z.union([auditAnswerSchema, verdictSchema]);

/** Add answers as one new object; nothing that is there changes. Returns its key. */
export async function appendReviews(
  store: ObjectStore,
  pool: string,
  answers: readonly (Verdict | AuditAnswer)[],
  now: Date,
): Promise<string> {
  const key = keys.reviews(pool, ulid(now));
  const lines = answers.map((answer) => `${JSON.stringify(lineSchema.parse(answer))}\n`).join('');
  await store.put(key, lines, 'application/x-ndjson');
  return key;
}

/**
 * All answers of a pool's reviewers, or those of the objects `only`.
 *
 * @throws PartloopError `data-invalid` naming the object and the line that is no answer
 */
export async function readReviews(store: ObjectStore, pool: string, only?: readonly string[]): Promise<Reviews> {
  const names = only === undefined ? await listReviews(store, pool) : [...only];
  const verdicts: Verdict[] = [];
  const audits: AuditAnswer[] = [];
  for (const key of names) {
    const text = new TextDecoder().decode((await store.get(key)).body);
    text.split('\n').forEach((line, index) => {
      if (line.trim() === '') return;
      const answer = parseJson(new TextEncoder().encode(line), `${key}:${index + 1}`, lineSchema);
      if ('type' in answer) audits.push(answer);
      else verdicts.push(answer);
    });
  }
  const digest = names.length === 0 ? null : createHash('sha256').update(names.join('\n')).digest('hex');
  return { verdicts, audits, keys: names, digest };
}

async function listReviews(store: ObjectStore, pool: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { key } of store.list(keys.reviewsPrefix(pool))) if (key.endsWith('.jsonl')) names.push(key);
  return names.sort();
}

import { createHash } from 'node:crypto';
import { z } from 'zod';
import { type AuditAnswer, auditAnswerSchema } from '../domain/review/auditAnswers.js';
import { type IsWithdrawn, isMadeBy } from '../domain/review/labelHistory.js';
import { type Verdict, verdictSchema } from '../domain/review/review.js';
import {
  type ReviewImport,
  reviewImportSchema,
  type Withdrawal,
  withdrawalSchema,
} from '../domain/review/reviewImport.js';
import { keys } from './keys.js';
import type { ObjectStore } from './objects/objectStore.js';
import { parseJson } from './tables/json.js';
import { ulid } from './ulid.js';

/** Names of the reviews that a scan took into account: its output `reviews`. */
export const reviewListSchema = z.array(z.string());

/** Answers of reviewers about a pool so far. */
export interface Reviews {
  /** In the order in which they were given; those of imports that were withdrawn are left out. */
  verdicts: Verdict[];
  /** Answers to images of audit samples, likewise. */
  audits: AuditAnswer[];
  /** The imports that brought them, oldest first, withdrawn ones included. */
  imports: KnownImport[];
  /** Their source objects, oldest first: reading these again gives the same verdicts. */
  keys: string[];
  /** Digest of those names; null if there is no review. */
  digest: string | null;
}

/** One import of reviews, with its answers. */
export interface KnownImport {
  id: string;
  /** Its record; null in older reviews. */
  about: ReviewImport | null;
  verdicts: Verdict[];
  audits: AuditAnswer[];
  /** null while it stands. */
  withdrawal: Withdrawal | null;
}

const lineSchema = z.union([auditAnswerSchema, reviewImportSchema, withdrawalSchema, verdictSchema]);
type Line = z.infer<typeof lineSchema>;
const typedSchema = z.looseObject({ type: z.unknown().optional() });
const KNOWN_TYPES: ReadonlySet<string> = new Set(['audit', 'import', 'withdrawal']);

/** Add an import of reviews as one new object, named by its id; nothing existing changes. */
export async function appendReviews(
  store: ObjectStore,
  pool: string,
  id: string,
  about: ReviewImport | null,
  answers: readonly (Verdict | AuditAnswer)[],
): Promise<void> {
  await putLines(store, pool, id, about === null ? answers : [about, ...answers]);
}

/** Undo imports of reviews, all at once. Their answers stay stored, but no longer count. */
export async function withdrawReviews(
  store: ObjectStore,
  pool: string,
  reviews: readonly string[],
  now: Date,
): Promise<void> {
  const at = now.toISOString();
  await putLines(
    store,
    pool,
    ulid(now),
    reviews.map((review) => ({ type: 'withdrawal', review, at })),
  );
}

async function putLines(store: ObjectStore, pool: string, id: string, lines: readonly Line[]): Promise<void> {
  const text = lines.map((line) => `${JSON.stringify(lineSchema.parse(line))}\n`).join('');
  await store.put(keys.reviews(pool, id), text, 'application/x-ndjson');
}

/**
 * All answers of a pool's reviewers, or those of the objects `only`, in which case a withdrawal counts if its object is
 * among them.
 *
 * @throws PartloopError `data-invalid` naming the object and the invalid line
 */
export async function readReviews(store: ObjectStore, pool: string, only?: readonly string[]): Promise<Reviews> {
  const names = only === undefined ? await listReviews(store, pool) : [...only];
  const imports: KnownImport[] = [];
  const withdrawals = new Map<string, Withdrawal>();
  for (const key of names) {
    const found: KnownImport = { id: idOf(key), about: null, verdicts: [], audits: [], withdrawal: null };
    for (const line of await readLines(store, key)) {
      if (!('type' in line)) found.verdicts.push(line);
      else if (line.type === 'audit') found.audits.push(line);
      else if (line.type === 'import') found.about = line;
      else withdrawals.set(line.review, line);
    }
    if (found.about !== null || found.verdicts.length + found.audits.length > 0) imports.push(found);
  }
  for (const one of imports) one.withdrawal = withdrawals.get(one.id) ?? null;
  const standing = imports.filter(({ withdrawal }) => withdrawal === null);
  return {
    verdicts: standing.flatMap(({ verdicts }) => verdicts),
    audits: standing.flatMap(({ audits }) => audits),
    imports,
    keys: names,
    digest: names.length === 0 ? null : createHash('sha256').update(names.join('\n')).digest('hex'),
  };
}

async function readLines(store: ObjectStore, key: string): Promise<Line[]> {
  const text = new TextDecoder().decode((await store.get(key)).body);
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return [];
    const bytes = new TextEncoder().encode(line);
    const { type } = parseJson(bytes, `${key}:${index + 1}`, typedSchema);
    // A kind of line that only a later version writes is ignored here.
    if (typeof type === 'string' && !KNOWN_TYPES.has(type)) return [];
    return [parseJson(bytes, `${key}:${index + 1}`, lineSchema)];
  });
}

const idOf = (key: string): string => /([^/]+)\.jsonl$/.exec(key)?.[1] ?? key;

async function listReviews(store: ObjectStore, pool: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { key } of store.list(keys.reviewsPrefix(pool))) if (key.endsWith('.jsonl')) names.push(key);
  return names.sort();
}

/** Tells which rows are of reviews that were undone. */
export function withdrawnIn({ imports }: Reviews): IsWithdrawn {
  const withdrawn = imports.filter(({ withdrawal }) => withdrawal !== null);
  return (row) => withdrawn.some(({ id }) => isMadeBy(row, id));
}

import { z } from 'zod';
import { PartloopError } from '../domain/base/errors.js';
import type { EvaluationSummary } from '../domain/evaluate/summary.js';
import { type LeftOut, leftOutSchema } from '../domain/images/leftOut.js';
import { type EvaluationRow, evaluationRowSchema } from '../domain/tables.js';
import { parseCommit, recording, redoHint } from './commit.js';
import { keys } from './keys.js';
import type { ObjectStore } from './objects/objectStore.js';
import { sealed } from './seal.js';
import { readJson } from './tables/json.js';
import { readTable, writeTable } from './tables/table.js';
import { ulid } from './ulid.js';

/**
 * An evaluation of one model on one test version: complete, or without the images that could not be judged at that
 * time.
 */
export interface KeptEvaluation {
  images: string;
  summary: string;
  leftOut: LeftOut[];
}

const summarySchema = z.looseObject({ images: z.number().optional() });
const leftOutOfSchema = z.looseObject({ leftOut: z.array(leftOutSchema).default([]) });
const COMMIT = /[0-9A-Z]{26}\/commit\.json$/;
/** For older evaluations, which have no commits: the summary was written last. */
const SUMMARY = /(without-[0-9a-f]{16}\/)?summary\.json$/;

/**
 * The evaluation kept under `place` with the fewest images left out, and of these the newest; null if there is none. An
 * unreadable one counts as absent, and `onUnreadable` gets the reason: it is made again.
 */
export async function findEvaluation(
  store: ObjectStore,
  place: string,
  onUnreadable: (error: PartloopError) => void,
): Promise<(KeptEvaluation & { rows: EvaluationRow[] }) | null> {
  const unlessUnreadable = async <T>(read: () => Promise<T>): Promise<T | null> => {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof PartloopError) || !['data-invalid', 'not-found'].includes(error.code)) throw error;
      onUnreadable(error);
      return null;
    }
  };
  const found: KeptEvaluation[] = [];
  const objects: string[] = [];
  for await (const { key } of store.list(place)) objects.push(key);
  const committed = new Set(objects.filter((key) => COMMIT.test(key)).map(folderOf));
  for (const key of objects) {
    const isWhole = COMMIT.test(key) || (SUMMARY.test(key) && !/[0-9A-Z]{26}\/summary\.json$/.test(key));
    if (!isWhole) continue;
    const kept = await unlessUnreadable(() => look(store, key));
    if (kept !== null) found.push(kept);
  }
  const isNew = ({ images }: KeptEvaluation): boolean => committed.has(folderOf(images));
  found.sort(
    (a, b) =>
      a.leftOut.length - b.leftOut.length || Number(isNew(b)) - Number(isNew(a)) || (a.images > b.images ? -1 : 1),
  );
  for (const kept of found) {
    const rows = await unlessUnreadable(() => readRows(store, kept));
    if (rows !== null) return { ...kept, rows };
  }
  return null;
}

/** Keep an evaluation under a fresh name at `place`. The commit is written last and has the digests of the rest. */
export async function keepEvaluation(
  store: ObjectStore,
  place: string,
  rows: readonly EvaluationRow[],
  summary: EvaluationSummary,
): Promise<KeptEvaluation> {
  const { leftOut } = summary;
  const folder = keys.keptEvaluation(place, ulid(new Date()));
  const recorder = recording(store, folder);
  const kept = at(folder);
  await writeTable(recorder.store, kept.images, rows, evaluationRowSchema);
  await recorder.store.put(kept.summary, JSON.stringify(summary, null, 1), 'application/json');
  const commit = { version: 1, leftOut, files: recorder.files };
  await store.put(`${folder}commit.json`, sealed(commit), 'application/json');
  return { ...kept, leftOut };
}

async function look(store: ObjectStore, key: string): Promise<KeptEvaluation> {
  const kept = at(folderOf(key));
  if (!COMMIT.test(key)) return { ...kept, leftOut: (await readJson(store, key, leftOutOfSchema)).leftOut };
  const { body } = await store.get(key);
  return { ...kept, leftOut: parseCommit(body, key, leftOutOfSchema, redoHint({ of: null })).leftOut };
}

/** The rows of an evaluation whose summary is readable too. */
async function readRows(store: ObjectStore, kept: KeptEvaluation): Promise<EvaluationRow[]> {
  const { images } = await readJson(store, kept.summary, summarySchema);
  const rows = await readTable(store, kept.images, evaluationRowSchema);
  if (images === undefined || rows.length === images) return rows;
  throw new PartloopError('data-invalid', `${kept.images} has ${rows.length} rows, but its summary counts ${images}`);
}

const folderOf = (key: string): string => key.slice(0, key.lastIndexOf('/') + 1);

const at = (folder: string): { images: string; summary: string } => ({
  images: `${folder}images.parquet`,
  summary: `${folder}summary.json`,
});

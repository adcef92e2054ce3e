import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { EvaluationSummary } from '../domain/evaluation/summary.js';
import { type LeftOut, leftOutSchema } from '../domain/leftOut.js';
import { type EvaluationRow, evaluationRowSchema } from '../domain/tables.js';
import { readJson } from './json.js';
import type { ObjectStore } from './objectStore.js';
import { writeTable } from './table.js';

/** An evaluation of one model on one test version: all of it, or without the images that could not be judged then. */
export interface KeptEvaluation {
  images: string;
  summary: string;
  leftOut: LeftOut[];
}

const leftOutOfSchema = z.looseObject({ leftOut: z.array(leftOutSchema).default([]) });
const SUMMARY = /without-[0-9a-f]{16}\/summary\.json$/;

/** What is kept under `place`, the evaluation with the fewest images left out; null where there is none. */
export async function findEvaluation(store: ObjectStore, place: string): Promise<KeptEvaluation | null> {
  const whole = at(place);
  if ((await store.head(whole.summary)) !== null) return { ...whole, leftOut: [] };
  let best: KeptEvaluation | null = null;
  for await (const { key } of store.list(`${place}without-`)) {
    if (!SUMMARY.test(key)) continue;
    const { leftOut } = await readJson(store, key, leftOutOfSchema);
    if (best === null || leftOut.length < best.leftOut.length)
      best = { ...at(key.slice(0, -'summary.json'.length)), leftOut };
  }
  return best;
}

/** Keep an evaluation: whole under `place` itself, else under what it is without. The summary is written last. */
export async function keepEvaluation(
  store: ObjectStore,
  place: string,
  rows: readonly EvaluationRow[],
  summary: EvaluationSummary,
): Promise<KeptEvaluation> {
  const { leftOut } = summary;
  const ids = leftOut.map(({ imageId }) => imageId).sort();
  const digest = createHash('sha256').update(ids.join(' ')).digest('hex');
  const kept = at(ids.length === 0 ? place : `${place}without-${digest.slice(0, 16)}/`);
  await writeTable(store, kept.images, rows, evaluationRowSchema);
  await store.put(kept.summary, JSON.stringify(summary, null, 1), 'application/json');
  return { ...kept, leftOut };
}

const at = (place: string): { images: string; summary: string } => ({
  images: `${place}images.parquet`,
  summary: `${place}summary.json`,
});

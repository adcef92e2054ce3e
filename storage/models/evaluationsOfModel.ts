import { type EvaluationSummary, evaluationSummarySchema } from '../../domain/evaluate/summary.js';
import { findEvaluation } from '../evaluations.js';
import { keys } from '../keys.js';
import type { ObjectStore } from '../objects/objectStore.js';
import { readJson } from '../tables/json.js';

/** A kept evaluation of a model. */
export interface ModelEvaluation {
  /** Digest of the images and labels. */
  testVersion: string;
  /** Longest side in pixels of the grid on which pixels were counted. */
  size: number;
  summary: EvaluationSummary;
}

const PLACE = /^(evaluations\/[^/]+\/([^/]+)\/(\d+)\/v\d+\/)/;

/** The readable evaluations of the model with this digest, one per set of images and grid; by set. */
export async function evaluationsOfModel(store: ObjectStore, digest: string): Promise<ModelEvaluation[]> {
  const places = new Map<string, Pick<ModelEvaluation, 'testVersion' | 'size'>>();
  for await (const { key } of store.list(keys.evaluationsOf(digest))) {
    const [, place, testVersion, size] = PLACE.exec(key) ?? [];
    if (place !== undefined && testVersion !== undefined) places.set(place, { testVersion, size: Number(size) });
  }
  const found: ModelEvaluation[] = [];
  for (const [place, of] of places) {
    const kept = await findEvaluation(store, place, () => undefined);
    if (kept !== null) found.push({ ...of, summary: await readJson(store, kept.summary, evaluationSummarySchema) });
  }
  return found.sort((a, b) => (a.testVersion < b.testVersion ? -1 : 1));
}

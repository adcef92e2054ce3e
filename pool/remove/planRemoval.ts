import { isByPerson } from '../../domain/review/labelHistory.js';
import type { IndexRow } from '../../domain/tables.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import type { Pool } from '../../storage/pool/pool.js';
import { readReviews } from '../../storage/reviews.js';
import { isPurged } from '../import/decide.js';
import { type Choice, selectImages } from './select.js';
import { findTraces, type Traces } from './traces.js';

/** The effects of a removal, told before anything is done. */
export interface RemovalPlan {
  pool: string;
  version: number;
  /** Ids of the images that leave the pool, or whose bytes go: by ascending id. */
  imageIds: string[];
  /** Of those in the pool, by split. */
  splits: Record<IndexRow['split'], number>;
  /** Images whose label a reviewer corrected. */
  corrected: number;
  /** Answers of reviewers about them: verdicts on findings, and audited images. */
  answers: number;
  /** Chosen, but already removed from the pool. */
  removedBefore: number;
  /** Chosen; their bytes are already deleted, or should be. */
  purgedBefore: number;
  unknown: string[];
  ambiguous: { name: string; ids: string[] }[];
  traces: Traces;
}

/**
 * The chosen images and their uses. With `bytes`, images that were removed earlier count too, so that an interrupted
 * deletion is found again, and every object is searched.
 */
export async function planRemoval(
  store: ObjectStore,
  pool: Pool,
  choice: Choice,
  { bytes, onProgress }: { bytes: boolean; onProgress(objects: number): void },
): Promise<RemovalPlan> {
  const history = await pool.history();
  const { present, removed, unknown, ambiguous } = selectImages(history, pool.taxonomy, choice);
  const chosen = bytes ? [...present, ...removed] : present;
  const images = new Set(chosen.map(({ imageId }) => imageId));
  const names = new Set(chosen.flatMap(({ imageId }) => history.revisions(imageId).map(({ fileName }) => fileName)));
  const { verdicts, audits } = await readReviews(store, pool.name);
  const splits = { train: 0, val: 0, test: 0 };
  for (const { split } of present) splits[split] += 1;
  return {
    pool: pool.name,
    version: await pool.latestVersion(),
    imageIds: [...images].sort(),
    splits,
    corrected: chosen.filter(({ imageId }) => history.revisions(imageId).some(isByPerson)).length,
    answers: [...verdicts, ...audits].filter(({ imageId }) => images.has(imageId)).length,
    removedBefore: removed.length,
    purgedBefore: removed.filter(isPurged).length,
    unknown,
    ambiguous,
    traces: await findTraces(store, {
      ...{ pool: pool.name, images, names, unknown: new Set(unknown), everywhere: bytes, onProgress },
    }),
  };
}

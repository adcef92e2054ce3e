import { withEarlierInferred } from '../domain/sample/inferredTags.js';
import { fateOf, type TrainingSet } from '../domain/sample/trainingSet.js';
import { type TrainingRow, trainingRowSchema } from '../domain/tables.js';
import type { ObjectStore } from '../storage/objects/objectStore.js';
import type { Pool } from '../storage/pool/pool.js';
import { streamTable } from '../storage/tables/table.js';
import { type PickedImage, streamPicks } from './pickedImages.js';

/** A pool at a version. */
export interface PoolNow {
  pool: Pool;
  version: number;
}

/** The images to train on so far, as the pool has them now. */
export interface CurrentTrainingSet {
  images: TrainingSet;
  /** Images of the table, with those that are no longer trained on. */
  earlier: number;
  /** The images of the table whose rows hold no longer: those that are out, and those with a newer row. */
  stale: Set<string>;
  /** Rows in place of the stale ones of images that are still trained on. */
  changed: TrainingRow[];
}

/**
 * Read the training set of an earlier iteration in the present state of the pool: without images that were removed,
 * that a person moved to test or validation, or that are `quarantined`.
 *
 * @param key the table; undefined if there is no earlier iteration
 */
export async function readTrainingSet(
  store: ObjectStore,
  now: PoolNow,
  key: string | undefined,
  quarantined: ReadonlySet<string>,
): Promise<CurrentTrainingSet> {
  const picked: PickedImage[] = [];
  if (key !== undefined) for await (const image of streamPicks(store, key)) picked.push(image);
  const states = await now.pool.readStates(
    now.version,
    picked.map(({ imageId }) => imageId),
  );
  const places = new Map<string, number>();
  const stale = new Set<string>();
  const newer = new Set<string>();
  const images = picked.filter((image) => {
    const { imageId } = image;
    const fate = fateOf(image, states, quarantined);
    if (fate !== 'kept') stale.add(imageId);
    if (fate === 'changed') newer.add(imageId);
    if (fate !== 'out') places.set(imageId, places.size);
    return fate !== 'out';
  });
  const changed = key === undefined || newer.size === 0 ? [] : await newestRows(store, now, key, newer);
  for (const row of changed) images[places.get(row.imageId) as number] = row;
  const set = { count: images.length, has: (id: string) => places.has(id), [Symbol.iterator]: () => images.values() };
  return { images: set, earlier: picked.length, stale, changed };
}

/** The same as whole rows. */
export async function readTrainingRows(store: ObjectStore, now: PoolNow, key: string): Promise<TrainingRow[]> {
  const { stale, changed } = await readTrainingSet(store, now, key, new Set());
  const newest = new Map(changed.map((row) => [row.imageId, row]));
  const rows: TrainingRow[] = [];
  for await (const row of streamTable(store, key, trainingRowSchema)) {
    const newer = newest.get(row.imageId);
    if (newer !== undefined) rows.push(newer);
    else if (!stale.has(row.imageId)) rows.push(row);
  }
  return rows;
}

/** The rows that the pool has now for images of the table, with tags that were inferred where it still has none. */
async function newestRows(
  store: ObjectStore,
  { pool, version }: PoolNow,
  key: string,
  imageIds: ReadonlySet<string>,
): Promise<TrainingRow[]> {
  const picks = new Map<string, TrainingRow>();
  const filter = { column: 'imageId', values: imageIds };
  for await (const row of streamTable(store, key, trainingRowSchema, filter)) picks.set(row.imageId, row);
  const rows = await pool.readImages(version, imageIds);
  return rows.flatMap((row) => {
    const pick = picks.get(row.imageId);
    if (pick === undefined) return [];
    return withEarlierInferred({ ...row, cluster: pick.cluster, pickedIn: pick.pickedIn }, pick);
  });
}

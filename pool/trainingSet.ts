import type { DrawColumns } from '../domain/draw/drawColumns.js';
import { fateOf } from '../domain/sample/trainingSet.js';
import { type TrainingRow, trainingRowSchema } from '../domain/tables.js';
import type { ObjectStore } from '../storage/objects/objectStore.js';
import { PackedTraining } from '../storage/packed/packedTraining.js';
import type { Pool } from '../storage/pool/pool.js';
import { streamTable } from '../storage/tables/table.js';

/** A pool at a version, by column. */
export interface PoolNow {
  pool: Pool;
  version: number;
  index: DrawColumns;
}

/** The images to train on so far, as the pool has them now. */
export interface CurrentTrainingSet {
  rows: PackedTraining;
  /** Images of the table, with those that are no longer trained on. */
  earlier: number;
}

/**
 * Read the training set of an earlier iteration in the present state of the pool: without images that were removed,
 * that a person moved to test or validation, or that are `quarantined`. No more than one row is in memory unpacked.
 *
 * @param key the table; undefined if there is no earlier iteration
 */
export async function readTrainingSet(
  store: ObjectStore,
  { pool, version, index }: PoolNow,
  key: string | undefined,
  quarantined: ReadonlySet<string>,
): Promise<CurrentTrainingSet> {
  const rows = new PackedTraining();
  if (key === undefined) return { rows, earlier: 0 };
  const changed = new Map<string, TrainingRow>();
  let earlier = 0;
  for await (const row of streamTable(store, key, trainingRowSchema)) {
    earlier++;
    const fate = fateOf(row, index, quarantined);
    if (fate !== 'out') rows.push(row);
    if (fate === 'changed') changed.set(row.imageId, row);
  }
  if (changed.size === 0) return { rows, earlier };
  for (const newest of await pool.readImages(version, new Set(changed.keys()))) {
    const row = changed.get(newest.imageId);
    if (row !== undefined) rows.replace({ ...newest, cluster: row.cluster, pickedIn: row.pickedIn });
  }
  return { rows, earlier };
}

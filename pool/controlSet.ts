import { controlSet } from '../domain/control/controlSet.js';
import { splitAt } from '../domain/draw/drawColumns.js';
import { TestSet } from '../domain/draw/testSet.js';
import { type ChunkRow, chunkRowSchema, trainingRowSchema } from '../domain/tables.js';
import type { ObjectStore } from '../storage/objects/objectStore.js';
import type { Pool } from '../storage/pool/pool.js';
import { streamTable } from '../storage/tables/table.js';

/** The chunk that an iteration drew. */
export interface DrawnChunk {
  iteration: number;
  /** Seed of that iteration. */
  seed: number;
  /** Key of its table. */
  chunk: string;
}

const idSchema = chunkRowSchema.pick({ imageId: true });
const clusterSchema = chunkRowSchema.pick({ imageId: true, cluster: true });
const pickedInSchema = trainingRowSchema.pick({ pickedIn: true });

/**
 * The random training set beside a loop's, as the pool has its images at `version`: with the newest labels, without
 * images that were removed, that a person moved to test or validation, or that share something with the test set.
 *
 * @param trainingSet key of the loop's training set
 * @returns in order of image id
 */
export async function readControlSet(
  store: ObjectStore,
  { pool, version }: { pool: Pool; version: number },
  chunks: readonly DrawnChunk[],
  trainingSet: string,
): Promise<ChunkRow[]> {
  const index = await pool.readDrawColumns(version);
  const shares = TestSet.ofColumns(index).sharesOfRow(index);
  const isUsable = (imageId: string): boolean => {
    const at = index.ids.find(imageId);
    return at >= 0 && splitAt(index, at) === 'train' && shares(at) === null;
  };
  const counts = new Map<number, number>();
  for await (const { pickedIn } of streamTable(store, trainingSet, pickedInSchema))
    counts.set(pickedIn, (counts.get(pickedIn) ?? 0) + 1);
  const drawn = [];
  for (const { iteration, seed, chunk } of chunks) drawn.push({ iteration, seed, imageIds: await idsOf(store, chunk) });
  const picks = controlSet(drawn, counts, isUsable);
  const clusters = new Map<string, string>();
  for (const { iteration, chunk } of chunks) {
    const wanted = { column: 'imageId', values: new Set(picks.get(iteration)) };
    if (wanted.values.size === 0) continue;
    for await (const { imageId, cluster } of streamTable(store, chunk, clusterSchema, wanted))
      clusters.set(imageId, cluster);
  }
  const rows = await pool.readImages(version, new Set(clusters.keys()));
  return rows
    .map((row) => ({ ...row, cluster: clusters.get(row.imageId) ?? row.imageId }))
    .sort((a, b) => (a.imageId < b.imageId ? -1 : 1));
}

async function idsOf(store: ObjectStore, chunk: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const { imageId } of streamTable(store, chunk, idSchema)) ids.push(imageId);
  return ids;
}

import type { JudgedRow, OfferedRow } from '../domain/sample/columns.js';
import { hasInferredTags, withInferredTags } from '../domain/sample/inferredTags.js';
import { chunkRowSchema, type TrainingRow, trainingRowSchema } from '../domain/tables.js';
import type { ObjectStore } from '../storage/objects/objectStore.js';
import { mergeTables } from '../storage/tables/mergeTables.js';
import { streamTable } from '../storage/tables/table.js';

/** A training set that grows by picks from a chunk. Most of its rows are in tables already. */
export interface GrownTrainingSet {
  /** The table before; undefined if there is none. */
  earlier: string | undefined;
  /** Images of that table whose rows are not taken over. */
  stale: ReadonlySet<string>;
  /** The table of the chunk. */
  chunk: string;
  /** Images of the chunk whose rows are taken over. */
  picked: ReadonlySet<string>;
  /** The iteration of these picks. */
  pickedIn: number;
  /** Rows that are in neither table. */
  rows: readonly TrainingRow[];
}

/** Whole rows of some images, as far as they are trained on, in order of image id. */
export async function rowsOf(
  store: ObjectStore,
  { earlier, stale, chunk, picked, pickedIn, rows }: GrownTrainingSet,
  imageIds: ReadonlySet<string>,
): Promise<TrainingRow[]> {
  if (imageIds.size === 0) return [];
  const found = rows.filter(({ imageId }) => imageIds.has(imageId));
  const filter = { column: 'imageId', values: imageIds };
  if (earlier !== undefined)
    for await (const row of streamTable(store, earlier, trainingRowSchema, filter))
      if (!stale.has(row.imageId)) found.push(row);
  for await (const row of streamTable(store, chunk, chunkRowSchema, filter))
    if (picked.has(row.imageId)) found.push({ ...row, pickedIn });
  return found.sort((a, b) => (a.imageId < b.imageId ? -1 : 1));
}

/** The same training set with other rows for some images, and without others. */
export function withRows(
  grown: GrownTrainingSet,
  changed: readonly TrainingRow[],
  without: readonly { imageId: string }[],
): GrownTrainingSet {
  const ids = new Set([...changed, ...without].map(({ imageId }) => imageId));
  return {
    ...grown,
    stale: new Set([...grown.stale, ...ids]),
    picked: new Set([...grown.picked].filter((imageId) => !ids.has(imageId))),
    rows: [...grown.rows.filter(({ imageId }) => !ids.has(imageId)), ...changed],
  };
}

/** The same training set in which new picks have the tags that the scan inferred where they lack them. */
export async function withScannedTags(
  store: ObjectStore,
  grown: GrownTrainingSet,
  chunk: readonly OfferedRow[],
  scanned: readonly JudgedRow[],
): Promise<GrownTrainingSet> {
  const scans = new Map(scanned.map((row) => [row.imageId, row]));
  const lacking = chunk.filter((row) => grown.picked.has(row.imageId) && hasInferredTags(row, scans.get(row.imageId)));
  const rows = await rowsOf(store, grown, new Set(lacking.map(({ imageId }) => imageId)));
  const tagged = rows.map((row) => withInferredTags(row, scans.get(row.imageId)));
  return tagged.length === 0 ? grown : withRows(grown, tagged, []);
}

/** Write all rows in order of image id. */
export async function writeTrainingSet(
  store: ObjectStore,
  key: string,
  { earlier, stale, chunk, picked, pickedIn, rows }: GrownTrainingSet,
): Promise<void> {
  await mergeTables(store, key, trainingRowSchema, 'imageId', [
    ...(earlier === undefined ? [] : [{ key: earlier, rows: { without: stale } }]),
    { key: chunk, rows: { only: picked }, values: { pickedIn } },
    ...(rows.length === 0 ? [] : [{ rows }]),
  ]);
}

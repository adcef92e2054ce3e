import { z } from 'zod';
import { DROP_MARKER } from '../../domain/ingest/drop.js';
import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { parseJson, writeJson } from '../../storage/tables/json.js';
import type { DropFile } from './listing.js';

const fileSchema = z.object({ path: z.string(), size: z.number(), etag: z.string(), writtenAt: z.string() });
const pinnedSchema = z.object({ files: z.array(fileSchema), marker: fileSchema });
/** Deleted with one listing: what is written between the two is seen by the next listing. */
const BATCH = 1_000;

const pinnedKey = (pool: string, arrival: string): string => `${keys.ingestWork(pool, arrival)}clear.json`;

/** Pin what is to go once the receipt of an arrival is written. */
export async function pinFiles(
  store: ObjectStore,
  pool: string,
  arrival: string,
  pinned: { files: readonly DropFile[]; marker: DropFile },
): Promise<void> {
  await writeJson(store, pinnedKey(pool, arrival), pinned);
}

/**
 * Delete the pinned files of an arrival, its marker last, and then its notes. A file that was written again since
 * stays, and belongs to the next arrival.
 */
export async function clearDrop(
  store: ObjectStore,
  { pool, drop, arrival }: { pool: string; drop: string; arrival: string },
): Promise<void> {
  const pinned = await store.tryGet(pinnedKey(pool, arrival));
  // Another try that got as far has ended it.
  if (pinned === null) return;
  const { files, marker } = parseJson(pinned.body, pinnedKey(pool, arrival), pinnedSchema);
  const folder = keys.drop(pool, drop);
  const meant = new Map(files.map((file) => [`${folder}${file.path}`, file]));
  await deleteListed(store, folder, meant);
  await deleteListed(store, `${folder}${DROP_MARKER}`, new Map([[`${folder}${DROP_MARKER}`, marker]]));
  const notes: string[] = [];
  for await (const { key } of store.list(keys.ingestWork(pool, arrival)))
    if (key !== pinnedKey(pool, arrival)) notes.push(key);
  await store.delete(notes);
}

/** Delete what is listed below a prefix as it was pinned, while it is listed. */
async function deleteListed(store: ObjectStore, prefix: string, meant: ReadonlyMap<string, DropFile>): Promise<void> {
  let batch: string[] = [];
  for await (const { key, etag, modifiedAt } of store.list(prefix)) {
    const pinned = meant.get(key);
    if (pinned?.etag === etag && pinned.writtenAt === modifiedAt.toISOString()) batch.push(key);
    if (batch.length < BATCH) continue;
    await store.delete(batch);
    batch = [];
  }
  if (batch.length > 0) await store.delete(batch);
}

/** Forget what was pinned, after the drop is said to be done. */
export const unpinFiles = (store: ObjectStore, pool: string, arrival: string): Promise<void> =>
  store.delete([pinnedKey(pool, arrival)]);

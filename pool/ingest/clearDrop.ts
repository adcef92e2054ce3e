import { z } from 'zod';
import { DROP_MARKER } from '../../domain/ingest/drop.js';
import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { parseJson, writeJson } from '../../storage/tables/json.js';
import type { DropFile } from './listing.js';

const pinnedSchema = z.object({
  files: z.array(z.object({ path: z.string(), size: z.number(), etag: z.string() })),
  marker: z.object({ path: z.string(), size: z.number(), etag: z.string() }),
});

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
  const folder = keys.drop(pool, drop);
  const there = new Map<string, string>();
  for await (const { key, etag } of store.list(folder)) there.set(key, etag);
  const pinned = await store.tryGet(pinnedKey(pool, arrival));
  // Another try that got as far has ended it.
  if (pinned === null) return;
  const { files, marker } = parseJson(pinned.body, pinnedKey(pool, arrival), pinnedSchema);
  const isPinned = ({ path, etag }: DropFile): boolean => there.get(`${folder}${path}`) === etag;
  await store.delete(files.filter(isPinned).map(({ path }) => `${folder}${path}`));
  if (isPinned({ ...marker, path: DROP_MARKER })) await store.delete([`${folder}${DROP_MARKER}`]);
  const notes: string[] = [];
  for await (const { key } of store.list(keys.ingestWork(pool, arrival)))
    if (key !== pinnedKey(pool, arrival)) notes.push(key);
  await store.delete(notes);
}

/** Forget what was pinned, after the drop is said to be done. */
export const unpinFiles = (store: ObjectStore, pool: string, arrival: string): Promise<void> =>
  store.delete([pinnedKey(pool, arrival)]);

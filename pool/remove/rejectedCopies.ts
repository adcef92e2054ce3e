import { createHash } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { namesInDocument } from './reportNames.js';

/** Ends the key of a rejected file's reason. */
const REASON = '.reason.json';
/** `DROP/ARRIVAL/` before the path in the drop. */
const PLACE = /^[^/]+\/[^/]+\//;

/** Runs the work of one object; a broken one does not end the search. */
type OnObject = (key: string, work: () => Promise<void>) => Promise<void>;

/** What people may mean by an image that is not in a pool: its bytes, or its name in a drop. */
export interface SoughtImages {
  pool: string;
  images: ReadonlySet<string>;
  /** Names that the pool does not know: the path in the drop, or what follows its folder. */
  names: ReadonlySet<string>;
}

/**
 * Copies of images among the files that were rejected from a pool's inbox. All of them are read: they have no index.
 *
 * @returns keys of pictures by content or name, sorted
 */
export async function findRejected(
  store: ObjectStore,
  { pool, images, names }: SoughtImages,
  onObject: OnObject,
): Promise<string[]> {
  const prefix = keys.rejectedPrefix(pool);
  const found: string[] = [];
  if (images.size + names.size === 0) return found;
  for await (const { key } of store.list(prefix)) {
    if (key.endsWith(REASON)) continue;
    const path = key.slice(prefix.length).replace(PLACE, '');
    if (names.has(path) || names.has(path.slice(path.indexOf('/') + 1))) found.push(key);
    else
      await onObject(key, async () => {
        if (images.has(await digestOf(store, key))) found.push(key);
      });
  }
  return found.sort();
}

/** Keys of the documents of drops that have one of `names` as a value: labels, tables of tags, removal requests. */
export async function findDocuments(
  store: ObjectStore,
  pool: string,
  names: ReadonlySet<string>,
  onObject: OnObject,
): Promise<string[]> {
  const found: string[] = [];
  if (names.size === 0) return found;
  for await (const { key } of store.list(keys.receivedPrefix(pool)))
    await onObject(key, async () => {
      const text = new TextDecoder().decode((await store.get(key)).body);
      for (const name of namesInDocument(text)) {
        if (!names.has(name)) continue;
        found.push(key);
        return;
      }
    });
  return found;
}

/** The keys of rejected files with those of their reasons. */
export const withReasons = (rejected: readonly string[]): string[] =>
  rejected.flatMap((key) => [key, `${key}${REASON}`]);

async function digestOf(store: ObjectStore, key: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(await store.getStream(key), hash);
  return hash.digest('hex');
}

import type { LeftOut } from '../domain/images/leftOut.js';
import type { IndexRow } from '../domain/tables.js';
import type { ObjectStore } from './objects/objectStore.js';

/**
 * Whether an image and its label are where the index says, by HEAD alone.
 *
 * @returns null where both are there, else what is wrong, for people
 */
export async function headRow(store: ObjectStore, row: IndexRow): Promise<Pick<LeftOut, 'kind' | 'reason'> | null> {
  return (
    (await problemOf(store, 'image', row.imageUri, row.imageEtag)) ??
    (await problemOf(store, 'label', row.labelUri, null))
  );
}

async function problemOf(
  store: ObjectStore,
  what: string,
  uri: string,
  etag: string | null,
): Promise<Pick<LeftOut, 'kind' | 'reason'> | null> {
  const facts = await store.head(uri);
  if (facts === null) return { kind: 'gone', reason: `${what} ${uri} is missing` };
  if (facts.size === 0) return { kind: 'unreadable', reason: `${what} ${uri} is empty` };
  if (etag !== null && facts.etag !== etag)
    return { kind: 'changed', reason: `${what} ${uri} has changed since it was registered` };
  return null;
}

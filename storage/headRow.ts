import type { IndexRow } from '../domain/tables.js';
import type { ObjectStore } from './objectStore.js';

/**
 * Whether an image and its label are where the index says, by HEAD alone.
 *
 * @returns null where both are there, else what is wrong, for people. Objects of another bucket are not asked for here:
 * their reads are conditional on the ETag and name a change themselves.
 */
export async function headRow(store: ObjectStore, row: IndexRow): Promise<string | null> {
  return (
    (await problemOf(store, 'image', row.imageUri, row.imageEtag)) ??
    (await problemOf(store, 'label', row.labelUri, null))
  );
}

async function problemOf(store: ObjectStore, what: string, uri: string, etag: string | null): Promise<string | null> {
  const key = keyWithin(store, uri);
  if (key === null) return null;
  const facts = await store.head(key);
  if (facts === null) return `${what} ${key} is missing`;
  if (facts.size === 0) return `${what} ${key} is empty`;
  if (etag !== null && facts.etag !== etag) return `${what} ${key} has changed since it was registered`;
  return null;
}

/** The key of a URI inside the store; null where it lies elsewhere. */
function keyWithin(store: ObjectStore, uri: string): string | null {
  if (!uri.startsWith('s3://')) return uri;
  const prefix = store.uri.endsWith('/') ? store.uri : `${store.uri}/`;
  return uri.startsWith(prefix) ? uri.slice(prefix.length) : null;
}

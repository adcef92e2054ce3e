import { createHash } from 'node:crypto';
import { PartloopError } from '../domain/errors.js';
import type { IndexRow } from '../domain/tables.js';
import type { ObjectStore } from './objectStore.js';

/** The bytes of an image, checked against the digest it was imported under. */
export async function readImage(store: ObjectStore, row: IndexRow): Promise<Buffer> {
  return readChecked(store, row.imageUri, row.imageId, row.fileName);
}

/** The bytes of an image's label, checked likewise. */
export async function readLabel(store: ObjectStore, row: IndexRow): Promise<Buffer> {
  return readChecked(store, row.labelUri, row.labelSha256, `label of ${row.fileName}`);
}

async function readChecked(store: ObjectStore, uri: string, sha256: string, name: string): Promise<Buffer> {
  const { body } = await store.get(uri);
  const digest = createHash('sha256').update(body).digest('hex');
  if (digest !== sha256) {
    throw new PartloopError('data-changed', `${name} (${uri}) changed since it was imported: its digest is ${digest.slice(0, 12)}, not ${sha256.slice(0, 12)}`, {
      hint: 'Import it again: a changed image is a new image.',
    });
  }
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
}

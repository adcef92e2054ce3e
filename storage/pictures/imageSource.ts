import { createHash } from 'node:crypto';
import { PartloopError } from '../../domain/base/errors.js';
import type { IndexRow } from '../../domain/tables.js';
import type { ObjectStore } from '../objects/objectStore.js';

/** Where an image's picture is, and how it is told from another. */
export type PictureSource = Pick<IndexRow, 'imageId' | 'fileName' | 'imageUri' | 'imageEtag'>;
/** The same of its label. */
export type LabelSource = Pick<IndexRow, 'fileName' | 'labelUri' | 'labelSha256'>;

/**
 * The bytes of an image, from the pool or from its registered place, checked against its digest at import.
 *
 * @throws PartloopError `data-changed` if they have changed, `not-found` if they are gone
 */
export function readImage(store: ObjectStore, row: PictureSource): Promise<Buffer> {
  return readChecked(store, row.imageUri, row.imageEtag, row.imageId, row.fileName);
}

/** The bytes of an image's label, checked likewise. */
export function readLabel(store: ObjectStore, row: LabelSource): Promise<Buffer> {
  return readChecked(store, row.labelUri, null, row.labelSha256, `label of ${row.fileName}`);
}

async function readChecked(
  store: ObjectStore,
  uri: string,
  etag: string | null,
  sha256: string,
  name: string,
): Promise<Buffer> {
  const hint = 'Import it again: a changed image is a new image.';
  try {
    const { body } = await store.get(uri, etag ?? undefined);
    const digest = createHash('sha256').update(body).digest('hex');
    if (digest === sha256) return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
    const message = `${name} (${uri}) changed since it was imported: its digest is ${digest.slice(0, 12)}, not ${sha256.slice(0, 12)}`;
    throw new PartloopError('data-changed', message, { hint });
  } catch (error) {
    if (!(error instanceof PartloopError) || error.code !== 'data-changed' || error.hint !== undefined) throw error;
    throw new PartloopError('data-changed', `${name} (${uri}) changed since it was imported: its ETag is different`, {
      hint,
      cause: error,
    });
  }
}

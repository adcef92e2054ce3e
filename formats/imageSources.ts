import { readFile, realpath, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { PartloopError } from '../domain/errors.js';
import type { ObjectStore } from '../storage/objectStore.js';
import type { ImageSource } from './importItem.js';

/** No photograph is larger; a file that is would fill the memory. */
const MAX_BYTES = 200 * 2 ** 20;

/** Read a file by its path relative to a folder. */
export type ReadInside = (path: string) => Promise<Buffer>;

/** Where the pictures named by an annotation file are: a local folder, or an `s3://` prefix where they stay. */
export async function imageSources(place: string): Promise<(path: string) => ImageSource> {
  if (place.startsWith('s3://')) {
    const prefix = place.replace(/\/+$/, '');
    return (path) => ({ kind: 'registered', uri: `${prefix}/${path}` });
  }
  const read = await localFolder(place, '--images');
  return (path) => ({ kind: 'bytes', read: () => read(path) });
}

/** The bytes of an image, and for one that stays where it is the version under which they may be read again. */
export async function readSource(
  store: ObjectStore,
  image: ImageSource,
): Promise<{ bytes: Buffer; etag: string | null; versionId: string | null }> {
  if (image.kind === 'bytes') return { bytes: await image.read(), etag: null, versionId: null };
  const { uri } = image;
  const facts = await store.head(uri);
  if (facts === null) throw new PartloopError('data-invalid', `${uri} does not exist`);
  refuseLarge(facts.size);
  const { body } = await store.get(uri, facts.etag).catch((cause: unknown) => {
    if (!(cause instanceof PartloopError) || cause.code !== 'data-changed') throw cause;
    throw new PartloopError('data-invalid', `${uri} changed while it was read`, { cause });
  });
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  return { bytes, etag: facts.etag, versionId: facts.versionId };
}

/**
 * Files below `folder`; an annotation file must not name files elsewhere.
 *
 * @throws PartloopError `input-invalid` where there is no such folder; reading throws `data-invalid` with the reason
 */
export async function localFolder(folder: string, option: string): Promise<ReadInside> {
  const root = await realpath(folder).catch((cause: unknown) => {
    throw new PartloopError('input-invalid', `${option}: there is no folder ${folder}`, { cause });
  });
  return async (path) => {
    try {
      const real = await realpath(join(root, path));
      if (relative(root, real).split(sep)[0] === '..') {
        throw new PartloopError('data-invalid', `${path} lies outside ${folder}`);
      }
      refuseLarge((await stat(real)).size);
      return await readFile(real);
    } catch (cause) {
      if (cause instanceof PartloopError) throw cause;
      const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
      const reason = code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`;
      throw new PartloopError('data-invalid', `${path} ${reason}`, { cause });
    }
  };
}

function refuseLarge(size: number): void {
  if (size > MAX_BYTES) throw new PartloopError('data-invalid', `it has ${size} bytes, more than ${MAX_BYTES}`);
}

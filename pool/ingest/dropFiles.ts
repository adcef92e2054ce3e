import { posix } from 'node:path';
import { PartloopError } from '../../domain/base/errors.js';
import { DROP_MARKER } from '../../domain/ingest/drop.js';
import type { ListedFiles } from '../../formats/reading/imageSources.js';
import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import type { DropFile, DropListing } from './listing.js';

/** No photograph or mask is larger; a file that is would fill the memory. */
const MAX_PICTURE_BYTES = 200 * 2 ** 20;
/** Manifests, tables of tags and removal requests are in memory as a whole, several times over. */
export const MAX_DOCUMENT_BYTES = 256 * 2 ** 20;

/** The files of a drop as they were when they were listed: one that changed since is not read. */
export interface DropFiles {
  /** Names are looked for in these folders, one after the other; each ends with `/` or is empty. */
  inFolders(folders: readonly string[]): ListedFiles;
  /** A file by its listed path. */
  document(path: string): Promise<Buffer>;
  /** Copy a file, by its listed path, to this disk. */
  copy(path: string, to: string): Promise<void>;
  /** What a fault of reading a file means: `data-invalid` if it is the file's own, otherwise the fault itself. */
  faultOf(path: string, fault: unknown): Promise<unknown>;
}

/** @param givesUp a file that the store does not give after many tries counts as unreadable, if others can be read */
export function dropFiles(
  store: ObjectStore,
  { pool, drop, listing, givesUp = false }: { pool: string; drop: string; listing: DropListing; givesUp?: boolean },
): DropFiles {
  const prefix = keys.drop(pool, drop);
  const faultOf = async (path: string, cause: unknown): Promise<unknown> => {
    if (!(cause instanceof PartloopError)) return cause;
    if (cause.code === 'data-changed' || cause.code === 'not-found')
      return new PartloopError('data-invalid', `${path} changed while the drop was read`, { cause });
    // Forbidden or archived; without rights at all, the marker cannot be read either.
    const isOwn = cause.code === 'setup-incomplete' || (givesUp && cause.code === 'store-unavailable');
    if (!isOwn || !(await isReadable(store, `${prefix}${DROP_MARKER}`))) return cause;
    return new PartloopError('data-invalid', `${path} cannot be read: ${cause.message}`, { cause });
  };
  const files = new Map(listing.files.map((file) => [file.path, file]));
  const fileAt = (path: string): DropFile => {
    const file = files.get(path);
    if (file === undefined) throw new PartloopError('data-invalid', `${path} does not exist in the drop`);
    return file;
  };
  const asFault = async <T>(path: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (cause) {
      throw await faultOf(path, cause);
    }
  };
  const read = async (path: string, maxBytes: number): Promise<Buffer> => {
    const { size, etag } = fileAt(path);
    if (size > maxBytes) throw new PartloopError('data-invalid', `it has ${size} bytes, more than ${maxBytes}`);
    const { body } = await asFault(path, () => store.get(`${prefix}${path}`, etag));
    return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  };
  return {
    inFolders: (folders) => ({
      name: 'the drop',
      find: (path) => {
        for (const folder of folders) {
          const found = posix.normalize(`${folder}${path}`);
          if (files.has(found)) return found;
        }
        return null;
      },
      read: (path) => read(path, MAX_PICTURE_BYTES),
    }),
    document: (path) => read(path, MAX_DOCUMENT_BYTES),
    copy: (path, to) => asFault(path, () => store.getFile(`${prefix}${path}`, to, fileAt(path).etag)),
    faultOf,
  };
}

const isReadable = (store: ObjectStore, key: string): Promise<boolean> =>
  store.tryGet(key).then(
    (found) => found !== null,
    () => false,
  );

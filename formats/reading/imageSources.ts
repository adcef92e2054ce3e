import { readFile, realpath, stat } from 'node:fs/promises';
import { basename, join, relative, sep } from 'node:path';
import { PartloopError } from '../../domain/base/errors.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import type { ImageSource, Origin } from './importItem.js';

/** No photograph is larger; a larger file would fill the memory. */
const MAX_BYTES = 200 * 2 ** 20;

/** Read a file by its path relative to a folder. */
export type ReadInside = (path: string) => Promise<Buffer>;

/** Files that are listed already, such as a drop in an inbox. */
export interface ListedFiles {
  /** How messages name the place. */
  name: string;
  /** The listed path that `path` means, which may be relative to a folder inside; null if there is none. */
  find(path: string): string | null;
  /** Reads a listed path; throws PartloopError `data-invalid` with the reason. */
  read: ReadInside;
}

export type ImagePlace =
  | {
      /** A folder, or an `s3://` prefix whose pictures stay where they are. */
      place: string;
      /** Read pictures behind symbolic links that lead out of the folder. */
      followLinks: boolean;
    }
  | { listed: ListedFiles };

/**
 * The places of the pictures named by an annotation file. Tools write names in their own ways: with `\`, `./`, the name
 * of the images' folder, percent signs, as URLs. A name is first looked up as written, then in these forms; such a form
 * matches only a picture that no other name of the file stands for.
 *
 * @param names all names of the file
 */
export async function imageSources(
  where: ImagePlace,
  names: readonly string[],
): Promise<(name: string) => ImageSource> {
  const root = 'listed' in where ? '' : where.place.replace(/\/+$/, '');
  const taken = new Set(names.map(directPath));
  const claims = new Map<string, number>();
  for (const name of new Set(names))
    for (const other of otherPaths(name, root)) claims.set(other, (claims.get(other) ?? 0) + 1);
  const pathsOf = (name: string): string[] => [
    directPath(name),
    ...otherPaths(name, root).filter((other) => !taken.has(other) && claims.get(other) === 1),
  ];
  if ('listed' in where) return (name) => ({ kind: 'bytes', ...listedFile(where.listed, name, pathsOf(name)) });
  const { place, followLinks } = where;
  if (place.startsWith('s3://'))
    return (name) => ({ kind: 'registered', uris: pathsOf(name).map((path) => `${root}/${path}`) });
  const read = await localFolder(place, '--images', { followLinks });
  return (name) => ({ kind: 'bytes', read: () => readFirst(read, name, pathsOf(name), place) });
}

/** A file among listed ones by the first of its possible paths; whether it is there is known before it is read. */
export function listedFile(
  listed: ListedFiles,
  name: string,
  paths: readonly string[] = [name],
): { read(): Promise<Buffer>; origin: Origin } {
  for (const path of paths) {
    const found = listed.find(path);
    if (found !== null) return { read: () => listed.read(found), origin: { files: [found], missing: [] } };
  }
  const read = async (): Promise<Buffer> => {
    throw new PartloopError('data-invalid', `${name} does not exist in ${listed.name}`);
  };
  return { read, origin: { files: [], missing: [name] } };
}

/** A name as a path: `./` and doubled slashes away, all else as it is written. */
const directPath = (name: string): string => name.replace(/^(?:\.\/+)+/, '').replace(/\/{2,}/g, '/');

/** The other paths that a name may stand for, the most literal first. */
function otherPaths(name: string, root: string): string[] {
  const direct = directPath(name);
  const slashed = directPath(name.replaceAll('\\', '/'));
  const local = slashed.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/]*\//i, '').replace(/[?#].*$/, '');
  const inner = local.replace(/^\/+/, '');
  const below = inner.startsWith(`${basename(root)}/`) ? inner.slice(basename(root).length + 1) : inner;
  const found = [slashed, inner, below, basename(inner)];
  const all = [...found, ...found.map(percentDecoded), ...found.map((path) => path.normalize('NFC'))];
  return [...new Set(all)].filter((path) => path !== direct && path !== '' && !path.split('/').includes('..'));
}

function percentDecoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

async function readFirst(read: ReadInside, name: string, paths: readonly string[], place: string): Promise<Buffer> {
  for (const path of paths) {
    try {
      return await read(path);
    } catch (error) {
      if (!(error instanceof MissingFile)) throw error;
    }
  }
  const [, ...others] = paths;
  const tried = others.length === 0 ? '' : `, nor ${others.join(', ')}`;
  throw new PartloopError('data-invalid', `${name} does not exist in ${place}${tried}`);
}

/** The bytes of an image; for one that stays in its place also the place and version for later reads. */
export async function readSource(
  store: ObjectStore,
  image: ImageSource,
): Promise<{ bytes: Buffer; uri: string | null; etag: string | null; versionId: string | null }> {
  if (image.kind === 'bytes') return { bytes: await image.read(), uri: null, etag: null, versionId: null };
  const { uri, facts } = await ownFault(() => findObject(store, image.uris));
  refuseLarge(facts.size);
  const { body } = await ownFault(() => store.get(uri, facts.etag));
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  return { bytes, uri, etag: facts.etag, versionId: facts.versionId };
}

/**
 * An error of S3 for one picture is that picture's fault: it may be archived, forbidden, or written again meanwhile.
 */
async function ownFault<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof PartloopError) || cause.code === 'store-unavailable') throw cause;
    throw new PartloopError('data-invalid', cause.message, { cause });
  }
}

async function findObject(store: ObjectStore, uris: readonly string[]) {
  for (const uri of uris) {
    const facts = await store.head(uri);
    if (facts !== null) return { uri, facts };
  }
  const [first, ...others] = uris;
  const tried = others.length === 0 ? '' : `, nor ${others.join(', ')}`;
  throw new PartloopError('data-invalid', `${first} does not exist${tried}`);
}

/** There is nothing at this path: another form may match. */
class MissingFile extends PartloopError {}

/**
 * Files below `folder`; an annotation file must not name files elsewhere, and links must not lead there unless
 * `followLinks` says so.
 *
 * @throws PartloopError `input-invalid` if there is no such folder; reading throws `data-invalid` with the reason
 */
export async function localFolder(
  folder: string,
  option: string,
  { followLinks = false }: { followLinks?: boolean } = {},
): Promise<ReadInside> {
  const root = await realpath(folder).catch((cause: unknown) => {
    throw new PartloopError('input-invalid', `${option}: there is no folder ${folder}`, { cause });
  });
  return async (path) => {
    try {
      const named = join(root, path);
      if (isOutside(root, named)) throw new PartloopError('data-invalid', `${path} lies outside ${folder}`);
      const real = await realpath(named);
      if (!followLinks && isOutside(root, real))
        throw new PartloopError(
          'data-invalid',
          `${path} is a link that leads out of ${folder}: allow it with --follow-links`,
        );
      const facts = await stat(real);
      if (!facts.isFile()) throw new PartloopError('data-invalid', `${path} is not a file`);
      refuseLarge(facts.size);
      return await readFile(real);
    } catch (cause) {
      if (cause instanceof PartloopError) throw cause;
      const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
      if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG')
        throw new MissingFile('data-invalid', `${path} does not exist`, { cause });
      throw new PartloopError('data-invalid', `${path} cannot be read (${code})`, { cause });
    }
  };
}

const isOutside = (root: string, path: string): boolean => relative(root, path).split(sep)[0] === '..';

function refuseLarge(size: number): void {
  if (size > MAX_BYTES) throw new PartloopError('data-invalid', `it has ${size} bytes, more than ${MAX_BYTES}`);
}

import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { z } from 'zod';
import { PartloopError } from '../../domain/base/errors.js';
import type { ObjectStore } from '../objects/objectStore.js';
import { digestOfFile } from '../seal.js';
import { type RowFilter, streamFile } from './table.js';

/** Copies that this process has checked, by path, with the time of their last change. */
const known = new Map<string, number>();

/** The part of an index segment to read. */
export interface SegmentRead<T extends z.ZodObject> {
  /** Only its columns are read. */
  schema: T;
  /** The rows to read; all if omitted. */
  filter?: RowFilter | undefined;
  /** Folder of copies; none if omitted. */
  cacheFolder?: string | undefined;
}

/** The rows of an index segment, read from a file on this disk. */
export async function* readSegment<T extends z.ZodObject>(
  store: ObjectStore,
  key: string,
  { schema, filter, cacheFolder }: SegmentRead<T>,
): AsyncGenerator<z.output<T>> {
  yield* inSegmentFile(store, key, cacheFolder, (path) => streamFile(path, key, schema, filter));
}

/**
 * Read an index segment from a file on this disk: a copy if there is a folder for copies, since segments never change,
 * else a download for as long as it is read. A copy is compared with the digest of its download once per process, and
 * fetched again where a full or failing disk spoiled it.
 */
export async function* inSegmentFile<T>(
  store: ObjectStore,
  key: string,
  cacheFolder: string | undefined,
  read: (path: string) => AsyncGenerator<T>,
): AsyncGenerator<T> {
  const scratch = cacheFolder === undefined ? await mkdtemp(join(tmpdir(), 'partloop-segment-')) : null;
  const [path, digest] = copyPaths(scratch ?? cacheFolder ?? '', key);
  try {
    if (!(await isWhole(path, digest))) {
      await store.getFile(key, path);
      if (scratch === null) await writeFile(digest, (await digestOfFile(path)).sha256);
    }
    yield* read(path);
  } catch (error) {
    if (error instanceof PartloopError && error.code === 'data-invalid') await rm(path, { force: true });
    throw error;
  } finally {
    if (scratch !== null) await rm(scratch, { recursive: true, force: true });
  }
}

/** The path of a segment's copy, and its digest. */
export function copyPaths(cacheFolder: string, key: string): [copy: string, digest: string] {
  const copy = join(cacheFolder, basename(key));
  return [copy, `${copy}.sha256`];
}

/** Whether a copy is as it was downloaded. Older copies without digests are fetched again once. */
async function isWhole(path: string, digest: string): Promise<boolean> {
  const changed = await changedAt(path);
  if (changed === null) return false;
  if (known.get(path) === changed) return true;
  const wanted = await readFile(digest, 'utf8').catch(() => null);
  if (wanted === null || (await digestOfFile(path)).sha256 !== wanted) return false;
  known.set(path, changed);
  return true;
}

const changedAt = async (path: string): Promise<number | null> => (await stat(path).catch(() => null))?.mtimeMs ?? null;

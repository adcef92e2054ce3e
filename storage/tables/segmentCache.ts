import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { PartloopError } from '../../domain/base/errors.js';
import { type IndexRow, indexRowSchema } from '../../domain/tables.js';
import type { ObjectStore } from '../objects/objectStore.js';
import { digestOfFile } from '../seal.js';
import { streamFile, streamTable } from './table.js';

/** Copies that this process has found whole, by path, with the time of their last change. */
const known = new Map<string, number>();

/**
 * The rows of an index segment, through a copy in `cacheFolder` where one is given: segments never change. A copy is
 * held against the digest of its download once a process, and fetched again where a full or failing disk spoiled it.
 */
export async function* readSegment(
  store: ObjectStore,
  key: string,
  cacheFolder: string | undefined,
): AsyncGenerator<IndexRow> {
  if (cacheFolder === undefined) {
    yield* streamTable(store, key, indexRowSchema);
    return;
  }
  const [path, digest] = copyPaths(cacheFolder, key);
  if (!(await isWhole(path, digest))) {
    await store.getFile(key, path);
    await writeFile(digest, (await digestOfFile(path)).sha256);
  }
  try {
    yield* streamFile(path, key, indexRowSchema);
  } catch (error) {
    if (error instanceof PartloopError && error.code === 'data-invalid') await rm(path, { force: true });
    throw error;
  }
}

/** Where the copy of a segment is kept, and its digest. */
export function copyPaths(cacheFolder: string, key: string): [copy: string, digest: string] {
  const copy = join(cacheFolder, basename(key));
  return [copy, `${copy}.sha256`];
}

/** Whether a copy is there as it was downloaded. Copies of before digests were kept are fetched again once. */
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

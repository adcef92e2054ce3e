import { rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { PartloopError } from '../domain/errors.js';
import { type IndexRow, indexRowSchema } from '../domain/tables.js';
import type { ObjectStore } from './objectStore.js';
import { streamFile, streamTable } from './table.js';

/** The rows of an index segment, through a copy in `cacheFolder` where one is given: segments never change. */
export async function* readSegment(
  store: ObjectStore,
  key: string,
  cacheFolder: string | undefined,
): AsyncGenerator<IndexRow> {
  if (cacheFolder === undefined) {
    yield* streamTable(store, key, indexRowSchema);
    return;
  }
  const path = join(cacheFolder, basename(key));
  if (!(await exists(path))) await store.getFile(key, path);
  try {
    yield* streamFile(path, key, indexRowSchema);
  } catch (error) {
    // A copy that a full disk cut short must not be met again.
    if (error instanceof PartloopError && error.code === 'data-invalid') await rm(path, { force: true });
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null)) !== null;
}

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PartloopError } from '../../domain/base/errors.js';
import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { copyPaths } from '../../storage/tables/segmentCache.js';

const BATCH = 1_000;
/** Number of passes that follow writers into a pool that is being deleted. */
const MAX_PASSES = 5;
const NAMED = 5;

/** Where a pool keeps what is its own: itself, and what clients sent for it. */
export const poolPlaces = (pool: string): readonly string[] => [
  ...[keys.poolPrefix(pool), keys.inbox(pool), keys.rejectedPrefix(pool)],
];

export interface DeleteRequest {
  /** Folder of this machine's copies of the store's objects; null if there are none. */
  cacheFolder: string | null;
  now: Date;
  onProgress(objects: number): void;
}

/**
 * Delete every object of a pool. First a note is written that the deletion has begun. Then the pool's defining objects
 * go: after that it is no longer listed, and no pool can be made under its name. The rest follows, and the note goes
 * last. A second call continues where the first one ended.
 *
 * @returns the number of deleted objects
 * @throws PartloopError `store-unavailable` naming objects that remain
 */
export async function deletePool(store: ObjectStore, pool: string, request: DeleteRequest): Promise<number> {
  const note = keys.poolDeletion(pool);
  await store.putIfAbsent(note, JSON.stringify({ startedAt: request.now.toISOString() }), 'application/json');
  let done = await remove([keys.taxonomy(pool)]);
  done += await removeUnder(keys.catalogPrefix(pool));
  for (let pass = 1; ; pass++) {
    let removed = 0;
    for (const prefix of poolPlaces(pool)) removed += await removeUnder(prefix);
    done += removed;
    if (removed === 0) break;
    if (pass === MAX_PASSES) {
      throw new PartloopError('store-conflict', `somebody still writes into pool \`${pool}\` while it is deleted`, {
        hint: 'End the imports, loops and scans over it, then run the same command again.',
      });
    }
  }
  if (request.cacheFolder !== null)
    await rm(join(request.cacheFolder, keys.poolPrefix(pool)), { recursive: true, force: true });
  await store.delete([note]);
  return done;

  async function removeUnder(prefix: string): Promise<number> {
    let removed = 0;
    let batch: string[] = [];
    for await (const { key } of store.list(prefix)) {
      if (key === note) continue;
      batch.push(key);
      if (batch.length < BATCH) continue;
      removed += await remove(batch);
      batch = [];
    }
    return removed + (await remove(batch));
  }

  async function remove(targets: string[]): Promise<number> {
    if (targets.length === 0) return 0;
    const failed = await store.tryDelete(targets);
    if (failed.length > 0) {
      const named = failed.slice(0, NAMED).map(({ key, reason }) => `${key} (${reason})`);
      const more = failed.length > NAMED ? ` and ${failed.length - NAMED} more` : '';
      throw new PartloopError(
        'store-unavailable',
        `pool \`${pool}\`: these objects are not deleted: ${named.join(', ')}${more}`,
        {
          hint: 'Run the same command again: no pool can be made under this name before it succeeds.',
        },
      );
    }
    await forgetSegments(targets);
    request.onProgress(targets.length);
    return targets.length;
  }

  /** Rows of the index contain names, so copies on this machine are deleted too. */
  async function forgetSegments(targets: readonly string[]): Promise<void> {
    if (request.cacheFolder === null) return;
    for (const key of targets)
      if (key.startsWith(keys.segmentPrefix(pool)))
        for (const path of copyPaths(join(request.cacheFolder, 'segments'), key)) await rm(path, { force: true });
  }
}

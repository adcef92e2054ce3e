import { PartloopError } from '../../domain/base/errors.js';
import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { prefixesOf, type Removable } from './planRemoval.js';

/** S3 takes no more keys in one request; whoever reads the progress sees that something happens. */
const BATCH = 1_000;
/** Whoever writes into a loop that is being deleted is followed so often. */
const MAX_PASSES = 5;
const NAMED = 5;
/** What says that something is whole, or that something is gone on from. */
const MARKER = /\/(commit|latest)\.json$/;

/**
 * Delete every object of a loop, or of a scan outside loops. Its record goes first, then what says that steps are done:
 * so a new one of this name never finds a step done whose outputs are gone. A second call goes on where a first one
 * ended.
 *
 * @returns how many objects were deleted
 * @throws PartloopError `store-unavailable` naming objects that are still there
 */
export async function removeAll(
  store: ObjectStore,
  kind: Removable,
  name: string,
  onProgress: (objects: number) => void,
): Promise<number> {
  let done = 0;
  const record = kind === 'loop' ? keys.loopState(name) : keys.scan(name);
  if ((await store.head(record)) !== null) await remove([record]);
  for (let pass = 1; ; pass++) {
    const all = await listed();
    if (all.length === 0) return done;
    if (pass > MAX_PASSES)
      throw new PartloopError('store-conflict', `somebody still writes into ${kind} \`${name}\` while it is deleted`, {
        hint: 'End what runs, then run the same command again.',
      });
    await remove(all.filter((key) => MARKER.test(key)));
    await remove(all.filter((key) => !MARKER.test(key)));
  }

  async function listed(): Promise<string[]> {
    const found: string[] = [];
    for (const prefix of prefixesOf(kind, name)) for await (const { key } of store.list(prefix)) found.push(key);
    return found;
  }

  async function remove(targets: readonly string[]): Promise<void> {
    for (let from = 0; from < targets.length; from += BATCH) {
      const batch = targets.slice(from, from + BATCH);
      const failed = await store.tryDelete(batch);
      done += batch.length - failed.length;
      onProgress(done);
      if (failed.length === 0) continue;
      const named = failed.slice(0, NAMED).map(({ key, reason }) => `${key} (${reason})`);
      const more = failed.length > NAMED ? ` and ${failed.length - NAMED} more` : '';
      throw new PartloopError(
        'store-unavailable',
        `${kind} \`${name}\`: these objects are not deleted: ${named.join(', ')}${more}`,
        { hint: 'The credentials must be allowed to delete. Then run the same command again.' },
      );
    }
  }
}

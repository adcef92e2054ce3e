import { type DropState, dropStateSchema } from '../../domain/ingest/dropState.js';
import { keys } from '../../storage/keys.js';
import { compareAndSwap } from '../../storage/objects/compareAndSwap.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { parseJson } from '../../storage/tables/json.js';

/** null for a drop that was never seen whole. */
export async function readDropState(store: ObjectStore, pool: string, drop: string): Promise<DropState | null> {
  return (await read(store, pool, drop)).value;
}

/** @param change gives the state afterwards, or null to leave it as it is */
export async function changeDropState(
  store: ObjectStore,
  pool: string,
  drop: string,
  change: (before: DropState | null) => DropState | null,
): Promise<DropState | null> {
  const { result } = await compareAndSwap(store, keys.dropState(pool, drop), {
    read: () => read(store, pool, drop),
    decide: (before) => {
      const after = change(before);
      return { body: after === null ? null : JSON.stringify(after, null, 1), result: after ?? before };
    },
  });
  return result;
}

async function read(store: ObjectStore, pool: string, drop: string) {
  const key = keys.dropState(pool, drop);
  const found = await store.tryGet(key);
  return found === null
    ? { value: null, etag: null }
    : { value: parseJson(found.body, key, dropStateSchema), etag: found.etag };
}

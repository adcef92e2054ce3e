import { z } from 'zod';
import { PartloopError } from '../domain/errors.js';
import { emptyLoopState, type LoopState, loopStateSchema } from '../domain/loopState.js';
import { keys } from './keys.js';
import type { ObjectStore } from './objectStore.js';

const MAX_RACES = 20;

/** What a loop has done; empty for a loop that has done nothing yet. */
export async function readLoopState(store: ObjectStore, loop: string): Promise<LoopState> {
  return (await read(store, loop)).state;
}

/** Change a loop's state by a chain of conditional writes: whoever loses a race applies its change to the newer state. */
export async function updateLoopState(
  store: ObjectStore,
  loop: string,
  change: (state: LoopState) => LoopState,
): Promise<LoopState> {
  for (let race = 0; race < MAX_RACES; race++) {
    const { state, etag } = await read(store, loop);
    const changed = change(state);
    const written = await store.replace(keys.loopState(loop), JSON.stringify(changed, null, 1), etag);
    if (written !== 'conflict') return changed;
  }
  throw new PartloopError('store-conflict', `${keys.loopState(loop)} changed under ${MAX_RACES} attempts to write it`);
}

/** Loops that have done something, by name. */
export async function listLoops(store: ObjectStore): Promise<string[]> {
  const loops: string[] = [];
  for await (const name of store.folders('loops/'))
    if ((await store.head(keys.loopState(name))) !== null) loops.push(name);
  return loops.sort();
}

async function read(store: ObjectStore, loop: string): Promise<{ state: LoopState; etag: string | null }> {
  const key = keys.loopState(loop);
  const object = await store.tryGet(key);
  if (object === null) return { state: emptyLoopState(loop), etag: null };
  const parsed = loopStateSchema.safeParse(JSON.parse(new TextDecoder().decode(object.body)));
  if (!parsed.success)
    throw new PartloopError('data-invalid', `${key} is not a loop's state: ${z.prettifyError(parsed.error)}`);
  return { state: parsed.data, etag: object.etag };
}

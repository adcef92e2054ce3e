import { z } from 'zod';
import { check } from '../domain/base/checked.js';
import { PartloopError } from '../domain/base/errors.js';
import { knownPart, unknownFields } from '../domain/base/recorded.js';
import { loopConfigSchema } from '../domain/config.js';
import { keptState } from '../domain/loop/keptState.js';
import { emptyLoopState, type LoopState, loopStateSchema } from '../domain/loop/state.js';
import { keys } from './keys.js';
import { compareAndSwap } from './objects/compareAndSwap.js';
import type { ObjectStore } from './objects/objectStore.js';
import { parseJson } from './tables/json.js';

/** A loop's record; empty for a loop that has done nothing yet. */
export async function readLoopState(store: ObjectStore, loop: string): Promise<LoopState> {
  return (await read(store, loop)).state;
}

/**
 * Change a loop's state by a chain of conditional writes: the loser of a race applies its change to the newer state.
 */
export async function updateLoopState(
  store: ObjectStore,
  loop: string,
  change: (state: LoopState) => LoopState,
): Promise<LoopState> {
  const { result } = await compareAndSwap(store, keys.loopState(loop), {
    read: async () => {
      const { etag, ...value } = await read(store, loop);
      return { value, etag };
    },
    decide: ({ state, recorded }) => {
      const changed = change(state);
      return { body: JSON.stringify(keptState(recorded, changed), null, 1), result: changed };
    },
  });
  return result;
}

/**
 * An iteration of a loop as it was recorded at its end.
 *
 * @param iteration its number; the last one if omitted
 * @throws PartloopError `not-found` that names the recorded ones
 */
export async function recordedIteration(
  store: ObjectStore,
  loop: string,
  iteration?: number,
): Promise<LoopState['iterations'][number]> {
  const { iterations } = await readLoopState(store, loop);
  const found = iteration === undefined ? iterations.at(-1) : iterations.find((entry) => entry.iteration === iteration);
  if (found !== undefined) return found;
  const numbers = iterations.map((entry) => entry.iteration).join(', ');
  const text =
    iterations.length === 0
      ? `loop \`${loop}\` has recorded no iteration yet`
      : `loop \`${loop}\` has no iteration ${iteration}: it has ${numbers}`;
  throw new PartloopError('not-found', text, {
    hint: '`partloop loop status` lists the loops that run; an iteration is recorded at its end.',
  });
}

/** Loops that have done something, by name. */
export async function listLoops(store: ObjectStore): Promise<string[]> {
  const loops: string[] = [];
  for await (const name of store.folders('loops/'))
    if ((await store.head(keys.loopState(name))) !== null) loops.push(name);
  return loops.sort();
}

/**
 * Settings of a loop that this version does not have, `train.lrWarmup`: a later version wrote them, and they have no
 * effect here.
 */
export async function unknownSettings(store: ObjectStore, loop: string): Promise<string[]> {
  const { recorded, state } = await read(store, loop);
  const { config } = configSchema.parse(recorded);
  const last = lastConfigSchema.safeParse(recorded);
  const inForce = state.config === null && last.success ? last.data.iterations.at(-1)?.current.config : config;
  return unknownFields(loopConfigSchema, inForce);
}

const configSchema = z.looseObject({ config: z.unknown().optional() });
const lastConfigSchema = z.looseObject({ iterations: z.array(z.looseObject({ current: configSchema })) });

async function read(
  store: ObjectStore,
  loop: string,
): Promise<{ state: LoopState; etag: string | null; recorded: unknown }> {
  const key = keys.loopState(loop);
  const object = await store.tryGet(key);
  const hint = `The record of loop \`${loop}\` is damaged: bring back an earlier version of this object in the store.`;
  if (object === null) return { state: emptyLoopState(loop), etag: null, recorded: {} };
  const recorded = parseJson(object.body, key, z.unknown(), { hint });
  const parsed = check(loopStateSchema, knownPart(loopStateSchema, recorded));
  if (parsed.problem !== null)
    throw new PartloopError('data-invalid', `${key} is not a loop's state: ${parsed.problem}`, { hint });
  return { state: parsed.data, etag: object.etag, recorded };
}

import { PartloopError } from '../../domain/base/errors.js';
import { benchmarkRegistrySchema } from '../../domain/decide/decision.js';
import { keys } from '../../storage/keys.js';
import { readLoopState } from '../../storage/loopState.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { listPools, openPool } from '../../storage/pool/pool.js';
import { readScanRecord } from '../../storage/scans.js';
import { parseJson } from '../../storage/tables/json.js';
import { loopFiles, poolOfLoop } from '../remove/loopFiles.js';
import { poolPlaces } from './deletePool.js';

/** A loop or scan over a pool. Its results stay if the pool is deleted. */
export interface PoolUser {
  name: string;
  kind: 'loop' | 'scan';
  /** Prefix of everything that it made. */
  place: string;
  /** Number of recorded iterations. */
  iterations: number;
  /** Number of networks that it trained and kept. */
  models: number;
  /** It has begun unrecorded work: it runs, or was interrupted. */
  isOpen: boolean;
}

/** The objects that the deletion of a pool would delete, and those that it would leave. */
export interface DeletionPlan {
  pool: string;
  /** null if an earlier deletion has begun and the index is gone. */
  images: number | null;
  objects: number;
  bytes: number;
  users: PoolUser[];
  /** Registries whose model in production was trained on the pool. */
  production: { registry: string; model: string }[];
}

/** The plan, and the pool of every loop and scan that has drawn. */
export interface PlannedDeletion {
  plan: DeletionPlan;
  poolOfLoop: Map<string, string>;
}

/**
 * The existing parts of a pool, whole or half deleted.
 *
 * @throws PartloopError `not-found` if nothing of it exists
 */
export async function planDeletion(
  store: ObjectStore,
  pool: string,
  onProgress: (objects: number) => void,
): Promise<PlannedDeletion> {
  let [objects, bytes] = [0, 0];
  let hasOwn = false;
  for (const place of poolPlaces(pool))
    for await (const { key, size } of store.list(place)) {
      hasOwn ||= key.startsWith(keys.poolPrefix(pool));
      bytes += size;
      if (++objects % 1_000 === 0) onProgress(objects);
    }
  // An inbox alone makes no pool: anybody may have put something there.
  if (!hasOwn) {
    const pools = await listPools(store);
    const there = pools.length === 0 ? 'there is none' : `pools: ${pools.join(', ')}`;
    throw new PartloopError('not-found', `there is no pool \`${pool}\`; ${there}`);
  }
  const isWhole = (await store.head(keys.taxonomy(pool))) !== null;
  const images = isWhole ? (await (await openPool(store, pool)).history()).count() : null;
  const poolOf = new Map<string, string>();
  const users = await usersOf(store, pool, poolOf);
  const production = await inProduction(store, users);
  return { plan: { pool, images, objects, bytes, users, production }, poolOfLoop: poolOf };
}

async function usersOf(store: ObjectStore, pool: string, poolOf: Map<string, string>): Promise<PoolUser[]> {
  const users: PoolUser[] = [];
  for await (const loop of loopFiles(store)) {
    const own = await poolOfLoop(store, loop);
    if (own !== null) poolOf.set(loop.loop, own);
    if (own !== pool) continue;
    const { iterations } = await readLoopState(store, loop.loop);
    const recorded = new Set(iterations.map(({ iteration }) => iteration));
    const isScan = iterations.length === 0 && (await readScanRecord(store, loop.loop)) !== null;
    users.push({
      name: loop.loop,
      kind: isScan ? 'scan' : 'loop',
      place: keys.loopPrefix(loop.loop),
      iterations: iterations.length,
      models: loop.files.filter(({ name }) => name === 'model.json').length,
      isOpen: !isScan && loop.files.some(({ iteration }) => !recorded.has(iteration)),
    });
  }
  return users;
}

async function inProduction(store: ObjectStore, users: readonly PoolUser[]): Promise<DeletionPlan['production']> {
  const names = new Set(users.map(({ name }) => name));
  const found: DeletionPlan['production'] = [];
  for await (const { key } of store.list('registry/')) {
    const { model } = parseJson((await store.get(key)).body, key, benchmarkRegistrySchema);
    if (model !== null && names.has(model.loop)) found.push({ registry: key, model: model.scan });
  }
  return found;
}

import type { ObjectStore } from '../storage/objects/objectStore.js';
import { listPools } from '../storage/pool/pool.js';
import { type FoundScan, poolScans } from '../storage/scans.js';

/** A pool with its finished scans, the newest first. */
export interface PoolScans {
  pool: string;
  scans: FoundScan[];
}

export async function scansOf(store: ObjectStore): Promise<PoolScans[]> {
  const pools: PoolScans[] = [];
  for (const pool of await listPools(store)) pools.push({ pool, scans: await poolScans(store, pool) });
  return pools;
}

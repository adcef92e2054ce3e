import type { ObjectStore } from '../storage/objects/objectStore.js';
import { listPools } from '../storage/pool/pool.js';
import { type FoundScan, poolScans } from '../storage/scans.js';
import type { AuditCount, AuditCounts } from './audit/openCounts.js';

/** A pool with its finished scans, the newest first. */
export interface PoolScans {
  pool: string;
  scans: FoundScan[];
  /** By scan id, of the newest scans with an audit sample. */
  audits: ReadonlyMap<string, AuditCount>;
}

export async function scansOf(store: ObjectStore, counts: AuditCounts): Promise<PoolScans[]> {
  const pools: PoolScans[] = [];
  for (const pool of await listPools(store)) {
    const scans = await poolScans(store, pool);
    pools.push({ pool, scans, audits: await counts.of(pool, scans) });
  }
  return pools;
}

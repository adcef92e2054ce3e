import { join } from 'node:path';
import { openPool, type Pool } from '../storage/pool.js';
import type { ActivityDeps } from './deps.js';

/** A pool whose index segments are kept on this machine: they never change, and every iteration reads them all. */
export function poolOf({ store, home }: Pick<ActivityDeps, 'store' | 'home'>, name: string): Promise<Pool> {
  return openPool(store, name, { cacheFolder: join(home, 'cache', 'segments') });
}

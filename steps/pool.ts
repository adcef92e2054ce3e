import { join } from 'node:path';
import { PartloopError } from '../domain/base/errors.js';
import type { ObjectStore } from '../storage/objects/objectStore.js';
import { listPools, openPool, type Pool } from '../storage/pool/pool.js';
import type { ActivityDeps } from './deps.js';

/** A pool whose index segments are kept on this machine: they never change, and every iteration reads them all. */
export function poolOf({ store, home }: Pick<ActivityDeps, 'store' | 'home'>, name: string): Promise<Pool> {
  return openPool(store, name, { cacheFolder: join(home, 'cache', 'segments') });
}

/** The requested pool, or the only one; @throws PartloopError `input-invalid` listing the pools */
export async function choosePool(store: ObjectStore, asked: string | undefined): Promise<string> {
  const pools = await listPools(store);
  if (asked !== undefined && pools.includes(asked)) return asked;
  const [only] = pools;
  if (asked === undefined && pools.length === 1 && only !== undefined) return only;
  const known = pools.length === 0 ? 'there is no pool yet' : `pools: ${pools.join(', ')}`;
  throw new PartloopError(
    asked === undefined ? 'input-invalid' : 'not-found',
    asked === undefined
      ? `field \`pool\` is needed: ${known}`
      : `field \`pool\`: there is no pool \`${asked}\`; ${known}`,
    {
      hint:
        asked === undefined && pools.length > 0
          ? `Say which: \`{"pool": "${only}"}\`, or \`--pool ${only}\`.`
          : 'Make one with `partloop import`.',
    },
  );
}

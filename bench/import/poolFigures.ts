import { z } from 'zod';
import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { openPool } from '../../storage/pool/pool.js';
import { readJson } from '../../storage/tables/json.js';
import type { PoolFigures } from './faults.js';

const catalogSchema = z.object({ segments: z.array(z.object({ rows: z.number() })) });

/** What a pool holds. @param before images that were in it before the import that is measured */
export async function poolFigures(store: ObjectStore, name: string, before: number): Promise<PoolFigures> {
  const pool = await openPool(store, name);
  const version = await pool.latestVersion();
  const { segments } = await readJson(store, keys.catalog(name, version), catalogSchema);
  const rows = segments.reduce((sum, segment) => sum + segment.rows, 0);
  const { ids } = await pool.readDrawColumns(version);
  const [pictures, labels, objects] = [
    await objectsBelow(store, keys.image(name, '')),
    await objectsBelow(store, keys.label(name, '')),
    await objectsBelow(store, keys.poolPrefix(name)),
  ];
  return {
    ...{ images: ids.count - before, rows: rows - before, segments: segments.length },
    ...{ pictures: pictures - before, labels: labels - before, objects },
  };
}

async function objectsBelow(store: ObjectStore, prefix: string): Promise<number> {
  let count = 0;
  for await (const _ of store.list(prefix)) count++;
  return count;
}

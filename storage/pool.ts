import { createHash } from 'node:crypto';
import { z } from 'zod';
import { PartloopError } from '../domain/errors.js';
import { sha256Schema } from '../domain/ids.js';
import { type IndexRow, indexRowSchema } from '../domain/tables.js';
import { parseTaxonomy, type Taxonomy } from '../domain/taxonomy.js';
import { readJson } from './json.js';
import { keys } from './keys.js';
import type { ObjectStore } from './objectStore.js';
import { readTable, writeTable } from './table.js';

const catalogSchema = z.object({
  version: z.number().int().positive(),
  segments: z.array(z.object({ key: z.string(), rows: z.number().int().nonnegative() })),
  createdAt: z.string(),
});
type Catalog = z.infer<typeof catalogSchema>;

const MAX_RACES = 20;

/** A pool of labelled images: an append-only index of immutable segments under numbered versions. */
export interface Pool {
  name: string;
  taxonomy: Taxonomy;
  /** What `defaults.json` holds, unchecked: settings of loops over this pool. */
  defaults: unknown;
  /** 0 for a pool without images. */
  latestVersion(): Promise<number>;
  /** The latest revision of every image known to a version, ordered by image id. */
  readIndex(version: number): Promise<IndexRow[]>;
  /** Add rows as a new segment under a new version; returns the version. Importers that race both get in. */
  appendRows(rows: readonly IndexRow[]): Promise<number>;
}

/** @throws PartloopError `not-found` listing the pools there are */
export async function openPool(store: ObjectStore, name: string): Promise<Pool> {
  const object = await store.tryGet(keys.taxonomy(name));
  if (object === null) {
    const pools = await listPools(store);
    throw new PartloopError('not-found', `there is no pool \`${name}\`; ${pools.length === 0 ? 'there is none yet' : `pools: ${pools.join(', ')}`}`, {
      hint: 'Make one with `partloop import`.',
    });
  }
  const taxonomy = parseTaxonomy(JSON.parse(new TextDecoder().decode(object.body)), keys.taxonomy(name));
  const defaults = (await store.head(keys.poolDefaults(name))) === null ? {} : await readJson(store, keys.poolDefaults(name), z.unknown());
  const readCatalog = async (version: number): Promise<Catalog> =>
    version === 0 ? { version: 0, segments: [], createdAt: '' } : readJson(store, keys.catalog(name, version), catalogSchema);
  const latestVersion = async (): Promise<number> => {
    let latest = 0;
    for await (const { key } of store.list(keys.catalogPrefix(name))) {
      const number = Number(/(\d+)\.json$/.exec(key)?.[1] ?? 0);
      if (number > latest) latest = number;
    }
    return latest;
  };
  return {
    name,
    taxonomy,
    defaults,
    latestVersion,
    async readIndex(version) {
      const rows = new Map<string, IndexRow>();
      for (const { key } of (await readCatalog(version)).segments) {
        for (const row of await readTable(store, key, indexRowSchema)) {
          const known = rows.get(row.imageId);
          if (known === undefined || row.labelRevision > known.labelRevision) rows.set(row.imageId, row);
        }
      }
      return [...rows.values()].sort((a, b) => (a.imageId < b.imageId ? -1 : 1));
    },
    async appendRows(rows) {
      const digest = createHash('sha256').update(JSON.stringify(rows)).digest('hex');
      const key = keys.segment(name, sha256Schema.parse(digest));
      await writeTable(store, key, rows, indexRowSchema);
      for (let race = 0; race < MAX_RACES; race++) {
        const latest = await latestVersion();
        const { segments } = await readCatalog(latest);
        const catalog: Catalog = { version: latest + 1, segments: [...segments, { key, rows: rows.length }], createdAt: new Date().toISOString() };
        if ((await store.putIfAbsent(keys.catalog(name, latest + 1), JSON.stringify(catalog), 'application/json')) === 'created') return latest + 1;
      }
      throw new PartloopError('store-conflict', `pool ${name}: ${MAX_RACES} other imports were faster each time`);
    },
  };
}

/** Names of all pools, sorted. */
export async function listPools(store: ObjectStore): Promise<string[]> {
  const pools = new Set<string>();
  for await (const { key } of store.list('pools/')) {
    const name = /^pools\/([^/]+)\/taxonomy\.json$/.exec(key)?.[1];
    if (name !== undefined) pools.add(name);
  }
  return [...pools].sort();
}

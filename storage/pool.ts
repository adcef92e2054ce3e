import { createHash } from 'node:crypto';
import { z } from 'zod';
import { PartloopError } from '../domain/errors.js';
import { type IndexRow, indexRowSchema } from '../domain/tables.js';
import { parseTaxonomy, type Taxonomy } from '../domain/taxonomy.js';
import { parseJson, readJson } from './json.js';
import { keys } from './keys.js';
import type { ObjectStore } from './objectStore.js';
import { readSegment } from './segmentCache.js';
import { writeTable } from './table.js';

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
  /**
   * Add rows as a new segment under a new version, and return the version. `known` is the version that the rows were made
   * against: where importers race, all get in, each without what another brought in already.
   */
  appendRows(rows: readonly IndexRow[], known?: number): Promise<number>;
}

export interface PoolOptions {
  /** Keep segments here, so that the index is not fetched again for every step. */
  cacheFolder?: string;
}

/** @throws PartloopError `not-found` listing the pools there are */
export async function openPool(store: ObjectStore, name: string, options: PoolOptions = {}): Promise<Pool> {
  const object = await store.tryGet(keys.taxonomy(name));
  if (object === null) {
    const pools = await listPools(store);
    const there = pools.length === 0 ? 'there is none yet' : `pools: ${pools.join(', ')}`;
    throw new PartloopError('not-found', `there is no pool \`${name}\`; ${there}`, {
      hint: 'Make one with `partloop import`.',
    });
  }
  const taxonomy = parseTaxonomy(parseJson(object.body, keys.taxonomy(name), z.unknown()), keys.taxonomy(name));
  const found = await store.tryGet(keys.poolDefaults(name));
  const defaults = found === null ? {} : parseJson(found.body, keys.poolDefaults(name), z.unknown());

  const readCatalog = async (version: number): Promise<Catalog> =>
    version === 0
      ? { version: 0, segments: [], createdAt: '' }
      : readJson(store, keys.catalog(name, version), catalogSchema);

  const latestVersion = async (): Promise<number> => {
    let latest = 0;
    for await (const { key } of store.list(keys.catalogPrefix(name))) {
      const number = Number(/(\d+)\.json$/.exec(key)?.[1] ?? 0);
      if (number > latest) latest = number;
    }
    return latest;
  };

  const readIndex = async (version: number): Promise<IndexRow[]> => {
    const rows = new Map<string, IndexRow>();
    for (const { key } of (await readCatalog(version)).segments) {
      for await (const row of readSegment(store, key, options.cacheFolder)) {
        const known = rows.get(row.imageId);
        if (known === undefined || row.labelRevision > known.labelRevision) rows.set(row.imageId, row);
      }
    }
    return [...rows.values()].sort((a, b) => (a.imageId < b.imageId ? -1 : 1));
  };

  const appendRows = async (given: readonly IndexRow[], known?: number): Promise<number> => {
    let rows = given;
    let base = known ?? (await latestVersion());
    let segment: Catalog['segments'][number] | null = null;
    for (let race = 0; race < MAX_RACES; race++) {
      const latest = await latestVersion();
      if (latest !== base) {
        rows = newAgainst(rows, await readIndex(latest));
        base = latest;
        segment = null;
      }
      if (rows.length === 0) return latest;
      segment ??= await writeSegment(store, name, rows);
      const { segments } = await readCatalog(latest);
      const createdAt = new Date().toISOString();
      const catalog: Catalog = { version: latest + 1, segments: [...segments, segment], createdAt };
      const key = keys.catalog(name, latest + 1);
      if ((await store.putIfAbsent(key, JSON.stringify(catalog), 'application/json')) === 'created') return latest + 1;
    }
    throw new PartloopError('store-conflict', `pool ${name}: ${MAX_RACES} other imports were faster each time`);
  };

  return { name, taxonomy, defaults, latestVersion, readIndex, appendRows };
}

/** Immutable, by digest of its rows: the same rows are the same segment. */
async function writeSegment(
  store: ObjectStore,
  pool: string,
  rows: readonly IndexRow[],
): Promise<{ key: string; rows: number }> {
  const hash = createHash('sha256');
  for (const row of rows) hash.update(`${JSON.stringify(row)}\n`);
  const key = keys.segment(pool, hash.digest('hex'));
  await writeTable(store, key, rows, indexRowSchema);
  return { key, rows: rows.length };
}

/**
 * What is left to say once another import's rows are in: nothing of images that have the same label there, and another
 * label as a later revision, on the side of the split where the image is.
 */
function newAgainst(rows: readonly IndexRow[], index: readonly IndexRow[]): IndexRow[] {
  const known = new Map(index.map((row) => [row.imageId, row]));
  return rows.flatMap((row) => {
    const there = known.get(row.imageId);
    if (there === undefined || row.labelRevision > there.labelRevision) return [row];
    if (row.labelSha256 === there.labelSha256) return [];
    return [{ ...row, split: there.split, labelRevision: there.labelRevision + 1 }];
  });
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

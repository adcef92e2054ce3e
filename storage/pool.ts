import { createHash } from 'node:crypto';
import { z } from 'zod';
import { PartloopError } from '../domain/base/errors.js';
import type { DrawColumns } from '../domain/draw/drawColumns.js';
import { type IndexRow, indexRowSchema } from '../domain/tables.js';
import { parseTaxonomy, type Taxonomy } from '../domain/taxonomy.js';
import { DrawIndexReader } from './drawIndex.js';
import { keys } from './keys.js';
import { NewestRows, type Revision } from './newestRows.js';
import { untilWon } from './objects/compareAndSwap.js';
import type { ObjectStore } from './objects/objectStore.js';
import { PoolHistory } from './poolHistory.js';
import { parseJson, readJson } from './tables/json.js';
import { inSegmentFile, readSegment } from './tables/segmentCache.js';
import { type RowFilter, writeTable } from './tables/table.js';

const catalogSchema = z.object({
  version: z.number().int().positive(),
  segments: z.array(z.object({ key: z.string(), rows: z.number().int().nonnegative() })),
  createdAt: z.string(),
});
type Catalog = z.infer<typeof catalogSchema>;

/** A pool of labelled images: an append-only index of immutable segments under numbered versions. */
export interface Pool {
  name: string;
  taxonomy: Taxonomy;
  /** The content of `defaults.json`, unchecked: settings of loops over this pool; its text if it is not JSON. */
  defaults: unknown;
  /** 0 for a pool without images. */
  latestVersion(): Promise<number>;
  /** The latest revision of every image of a version, ordered by image id; without removed images. */
  readIndex(version: number): Promise<IndexRow[]>;
  /** The same with only the columns of a schema: a large pool's whole rows take a gigabyte. */
  readColumns<T extends RevisionSchema>(version: number, schema: T): Promise<z.output<T>[]>;
  /** What a draw needs of the same images, by column; `onProgress` is told how many of how many rows were read. */
  readDrawColumns(version: number, onProgress?: (done: number, total: number) => void): Promise<DrawColumns>;
  /** The same rows of some images alone. */
  readImages(version: number, imageIds: ReadonlySet<string>): Promise<IndexRow[]>;
  /** All rows of the pool up to its newest version. */
  history(): Promise<PoolHistory>;
  /**
   * Add the rows of a plan as a new segment under a new version. The plan sees everything known, and is made again if
   * another writer was first: concurrent writes give the same result as writes one after the other.
   */
  append(plan: Plan): Promise<Appended>;
}

/** A schema of index rows with at least the columns that tell rows of an image apart. */
type RevisionSchema = z.ZodObject<Pick<typeof indexRowSchema.shape, keyof Revision>>;

/** New rows, each with a higher revision than its image has so far; none if there is nothing new. */
export type Plan = (history: PoolHistory) => readonly IndexRow[];

export interface Appended {
  /** The pool's version afterwards; unchanged if there was nothing new. */
  version: number;
  rows: readonly IndexRow[];
}

export interface PoolOptions {
  /** Folder for copies of segments, so that the index is not fetched again forevery step. */
  cacheFolder?: string;
}

/** @throws PartloopError `not-found` listing the existing pools */
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
  const defaults = found === null ? {} : jsonOrText(found.body);

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

  const { cacheFolder } = options;
  const readVersion = async <T extends RevisionSchema>(version: number, schema: T, filter?: RowFilter) => {
    const newest = new NewestRows<z.output<T>>();
    for (const { key } of (await readCatalog(version)).segments)
      for await (const row of readSegment(store, key, { schema, filter, cacheFolder })) newest.add(row);
    return newest.images();
  };

  const readDrawColumns: Pool['readDrawColumns'] = async (version, onProgress) => {
    const { segments } = await readCatalog(version);
    const total = segments.reduce((sum, { rows }) => sum + rows, 0);
    const reader = new DrawIndexReader();
    let done = 0;
    for (const { key } of segments)
      for await (const rows of inSegmentFile(store, key, cacheFolder, (path) => reader.add(path, key))) {
        done += rows;
        onProgress?.(done, Math.max(done, total));
      }
    return reader.newest();
  };

  // Segments are only ever added, so a history is updated by reading the new ones.
  const known = { version: 0, segments: 0, history: new PoolHistory() };
  const catchUp = async (): Promise<Catalog> => {
    const catalog = await readCatalog(await latestVersion());
    // Versions only grow: otherwise a writer would write into the rest of the pool.
    if (catalog.version < known.version)
      throw new PartloopError('not-found', `pool \`${name}\` was deleted while it was in use`);
    if (catalog.version !== known.version) {
      for (const { key } of catalog.segments.slice(known.segments))
        for await (const row of readSegment(store, key, { schema: indexRowSchema, cacheFolder }))
          known.history.add(row);
      known.version = catalog.version;
      known.segments = catalog.segments.length;
    }
    return catalog;
  };

  const history = async (): Promise<PoolHistory> => {
    await catchUp();
    return known.history;
  };

  const tryAppend = async (plan: Plan): Promise<Appended | 'conflict'> => {
    const { version: latest, segments } = await catchUp();
    const rows = plan(known.history);
    if (rows.length === 0) return { version: latest, rows };
    const segment = await writeSegment(store, name, rows);
    const version = latest + 1;
    const catalog: Catalog = { version, segments: [...segments, segment], createdAt: new Date().toISOString() };
    const written = await store.putIfAbsent(keys.catalog(name, version), JSON.stringify(catalog), 'application/json');
    return written === 'exists' ? 'conflict' : { version, rows };
  };

  const append = (plan: Plan): Promise<Appended> =>
    untilWon(
      () => tryAppend(plan),
      (races) => `pool ${name}: ${races} other writers were faster each time`,
    );

  return {
    name,
    taxonomy,
    defaults,
    latestVersion,
    readIndex: (version) => readVersion(version, indexRowSchema),
    readColumns: readVersion,
    readDrawColumns,
    readImages: (version, imageIds) => readVersion(version, indexRowSchema, { column: 'imageId', values: imageIds }),
    history,
    append,
  };
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

/** Names of all pools, sorted. */
export async function listPools(store: ObjectStore): Promise<string[]> {
  const pools: string[] = [];
  for await (const name of store.folders('pools/'))
    if ((await store.head(keys.taxonomy(name))) !== null) pools.push(name);
  return pools.sort();
}

/** A person may have edited the file: its faults concern users of the settings, not every reader of the pool. */
function jsonOrText(body: Uint8Array): unknown {
  const text = new TextDecoder().decode(body);
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return text;
  }
}

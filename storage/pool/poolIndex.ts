import { createHash } from 'node:crypto';
import { z } from 'zod';
import { PartloopError } from '../../domain/base/errors.js';
import type { DrawColumns } from '../../domain/draw/drawColumns.js';
import type { ImageState } from '../../domain/images/imageState.js';
import { type IndexRow, indexRowSchema } from '../../domain/tables.js';
import { keys } from '../keys.js';
import { untilWon } from '../objects/compareAndSwap.js';
import type { ObjectStore } from '../objects/objectStore.js';
import { readJson } from '../tables/json.js';
import { inSegmentFile, readSegment } from '../tables/segmentCache.js';
import { type RowFilter, writeTable } from '../tables/table.js';
import { ImageCounter, type PoolCounts } from './countImages.js';
import { DrawIndexReader } from './drawIndex.js';
import { readImageStates } from './imageStates.js';
import { NewestRows, type Revision } from './newestRows.js';
import { PoolHistory } from './poolHistory.js';
import { readShownImages, type ShownImages } from './shownImages.js';

const catalogSchema = z.object({
  version: z.number().int().positive(),
  segments: z.array(z.object({ key: z.string(), rows: z.number().int().nonnegative() })),
  createdAt: z.string(),
});
type Catalog = z.infer<typeof catalogSchema>;

/** The versions of a pool's index: what they hold, and how a new one comes about. */
export interface PoolIndex {
  /** 0 for a pool without images. */
  latestVersion(): Promise<number>;
  /** The latest revision of every image of a version, ordered by image id; without removed images. */
  readIndex(version: number): Promise<IndexRow[]>;
  /** The same with only the columns of a schema: a large pool's whole rows take a gigabyte. */
  readColumns<T extends RevisionSchema>(version: number, schema: T): Promise<z.output<T>[]>;
  /** What a draw needs of the same images, by column; `onProgress` is told how many of how many rows were read. */
  readDrawColumns(version: number, onProgress?: (done: number, total: number) => void): Promise<DrawColumns>;
  /** The images of a version in numbers. */
  countImages(version: number): Promise<PoolCounts>;
  /** What decides whether some images of a version may be trained on, without those that it does not have. */
  readStates(version: number, imageIds: readonly string[]): Promise<Map<string, ImageState>>;
  /** What pages need of some images of a version, by column. */
  readShown(version: number, imageIds: readonly string[]): Promise<ShownImages>;
  /** Whole rows of some images alone. */
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
export type Plan = (history: PoolHistory) => readonly IndexRow[] | Promise<readonly IndexRow[]>;

export interface Appended {
  /** The pool's version afterwards; unchanged if there was nothing new. */
  version: number;
  rows: readonly IndexRow[];
}

/** @param cacheFolder keeps copies of segments, if it is given */
export function openPoolIndex(store: ObjectStore, pool: string, cacheFolder: string | undefined): PoolIndex {
  const catalogs = new Catalogs(store, pool);
  const readVersion = async <T extends RevisionSchema>(version: number, schema: T, filter?: RowFilter) => {
    const newest = new NewestRows<z.output<T>>();
    for (const { key } of (await catalogs.read(version)).segments)
      for await (const row of readSegment(store, key, { schema, filter, cacheFolder })) newest.add(row);
    return newest.images();
  };
  const readDrawColumns: PoolIndex['readDrawColumns'] = async (version, onProgress) => {
    const { segments } = await catalogs.read(version);
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
  const countImages = async (version: number): Promise<PoolCounts> => {
    const counter = new ImageCounter();
    for (const { key } of (await catalogs.read(version)).segments)
      for await (const _ of inSegmentFile(store, key, cacheFolder, (path) => counter.add(path, key)));
    return counter.counts();
  };
  /** Reads the file of each segment of a version, in order. */
  const overSegments = async (version: number) => {
    const { segments } = await catalogs.read(version);
    return async (read: (path: string, origin: string) => AsyncGenerator<number>): Promise<void> => {
      for (const { key } of segments)
        for await (const _ of inSegmentFile(store, key, cacheFolder, (path) => read(path, key)));
    };
  };
  const known = new KnownHistory(store, catalogs, cacheFolder);
  return {
    latestVersion: () => catalogs.latestVersion(),
    readIndex: (version) => readVersion(version, indexRowSchema),
    readColumns: readVersion,
    readDrawColumns,
    countImages,
    readStates: async (version, imageIds) => readImageStates(imageIds, await overSegments(version)),
    readShown: async (version, imageIds) => readShownImages(pool, imageIds, await overSegments(version)),
    readImages: (version, imageIds) => readVersion(version, indexRowSchema, { column: 'imageId', values: imageIds }),
    history: async () => {
      await known.catchUp();
      return known.history;
    },
    append: (plan) =>
      untilWon(
        () => tryAppend(store, known, plan),
        (races) => `pool ${pool}: ${races} other writers were faster each time`,
      ),
  };
}

/** The catalogs of a pool, one per version. */
class Catalogs {
  constructor(
    private readonly store: ObjectStore,
    readonly pool: string,
  ) {}

  async read(version: number): Promise<Catalog> {
    if (version === 0) return { version: 0, segments: [], createdAt: '' };
    return readJson(this.store, keys.catalog(this.pool, version), catalogSchema);
  }

  async latestVersion(): Promise<number> {
    let latest = 0;
    for await (const { key } of this.store.list(keys.catalogPrefix(this.pool))) {
      const number = Number(/(\d+)\.json$/.exec(key)?.[1] ?? 0);
      if (number > latest) latest = number;
    }
    return latest;
  }
}

/** What was read of a pool's history so far. Segments are only ever added, so it is updated by reading the new ones. */
class KnownHistory {
  readonly history = new PoolHistory();
  private version = 0;
  private segments = 0;

  constructor(
    private readonly store: ObjectStore,
    private readonly catalogs: Catalogs,
    private readonly cacheFolder: string | undefined,
  ) {}

  get pool(): string {
    return this.catalogs.pool;
  }

  /** @throws PartloopError `not-found` if the pool was deleted meanwhile */
  async catchUp(): Promise<Catalog> {
    const { store, catalogs, cacheFolder } = this;
    const catalog = await catalogs.read(await catalogs.latestVersion());
    // Versions only grow: otherwise a writer would write into the rest of the pool.
    if (catalog.version < this.version)
      throw new PartloopError('not-found', `pool \`${this.pool}\` was deleted while it was in use`);
    if (catalog.version !== this.version) {
      for (const { key } of catalog.segments.slice(this.segments))
        for await (const row of readSegment(store, key, { schema: indexRowSchema, cacheFolder })) this.history.add(row);
      this.version = catalog.version;
      this.segments = catalog.segments.length;
    }
    return catalog;
  }
}

async function tryAppend(store: ObjectStore, known: KnownHistory, plan: Plan): Promise<Appended | 'conflict'> {
  const { pool } = known;
  const { version: latest, segments } = await known.catchUp();
  const rows = await plan(known.history);
  if (rows.length === 0) return { version: latest, rows };
  const segment = await writeSegment(store, pool, rows);
  const version = latest + 1;
  const catalog: Catalog = { version, segments: [...segments, segment], createdAt: new Date().toISOString() };
  const written = await store.putIfAbsent(keys.catalog(pool, version), JSON.stringify(catalog), 'application/json');
  return written === 'exists' ? 'conflict' : { version, rows };
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

import { PartloopError } from '../../domain/base/errors.js';
import { openImages } from '../../domain/board/auditQueue.js';
import { BatchReader } from '../../storage/board.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { openPool, type Pool } from '../../storage/pool/pool.js';
import type { FoundScan } from '../../storage/scans.js';
import { Imports } from '../imports.js';
import { auditSample } from './auditDesk.js';

/** Samples of older scans are not counted: each is read once from a table as long as the scan. */
const NEWEST = 5;
/** Samples that are kept. */
const MAX_KNOWN = 500;

/** Images of an audit sample, and those that nobody has answered yet. */
export interface AuditCount {
  drawn: number;
  open: number;
}

interface KnownPool {
  pool: Pool;
  reader: BatchReader;
  imports: Imports;
}

/** How much of each scan's audit sample is open, for pages that list scans. */
export class AuditCounts {
  readonly #samples = new Map<string, Promise<ReadonlyMap<string, string>>>();
  readonly #pools = new Map<string, KnownPool>();
  readonly #counted = new Map<string, { at: number; counts: ReadonlyMap<string, AuditCount> }>();

  constructor(
    private readonly store: ObjectStore,
    private readonly cacheFolder: string,
  ) {}

  /**
   * By scan id.
   *
   * @param scans of one pool, the newest first; the first few are counted
   * @param maxAgeMs counts that are not older are taken again
   */
  async of(poolName: string, scans: readonly FoundScan[], maxAgeMs = 0): Promise<ReadonlyMap<string, AuditCount>> {
    const key = JSON.stringify([poolName, scans.slice(0, NEWEST).map(({ id }) => id)]);
    const known = this.#counted.get(key);
    if (known !== undefined && Date.now() - known.at < maxAgeMs) return known.counts;
    const counts = await this.#count(poolName, scans);
    this.#counted.set(key, { at: Date.now(), counts });
    for (const oldest of this.#counted.keys()) if (this.#counted.size > MAX_KNOWN) this.#counted.delete(oldest);
    return counts;
  }

  async #count(poolName: string, scans: readonly FoundScan[]): Promise<Map<string, AuditCount>> {
    const samples = new Map<string, ReadonlyMap<string, string>>();
    for (const scan of scans.slice(0, NEWEST)) {
      const sample = await orNull(() => this.#sampleOf(scan));
      if (sample !== null) samples.set(scan.id, sample);
    }
    return (await orNull(() => this.#countsOf(poolName, samples))) ?? new Map();
  }

  async #countsOf(
    poolName: string,
    samples: ReadonlyMap<string, ReadonlyMap<string, string>>,
  ): Promise<Map<string, AuditCount>> {
    const images = new Set([...samples.values()].flatMap((sample) => [...sample.keys()]));
    if (images.size === 0) return new Map();
    const { pool, reader, imports } = await this.#pool(poolName);
    const batches = await reader.read();
    await imports.refresh(batches, Date.now());
    const rows = await pool.readImages(await pool.latestVersion(), images);
    const labels = new Map(rows.map(({ imageId, labelSha256 }) => [imageId, labelSha256]));
    const labelNow = (imageId: string): string | undefined => labels.get(imageId);
    const counts = new Map<string, AuditCount>();
    for (const [id, sample] of samples) {
      const open = [...openImages({ sample, labelNow, audits: imports.audits, batches }, null)].length;
      if (sample.size > 0) counts.set(id, { drawn: sample.size, open });
    }
    return counts;
  }

  async #pool(name: string): Promise<KnownPool> {
    const known = this.#pools.get(name);
    if (known !== undefined) return known;
    const { store, cacheFolder } = this;
    const pool = await openPool(store, name, { cacheFolder });
    const opened = { pool, reader: new BatchReader(store, name), imports: new Imports(store, name) };
    this.#pools.set(name, opened);
    return opened;
  }

  #sampleOf(scan: FoundScan): Promise<ReadonlyMap<string, string>> {
    const known = this.#samples.get(scan.images);
    if (known !== undefined) return known;
    const reading = auditSample(this.store, scan);
    this.#samples.set(scan.images, reading);
    reading.catch(() => this.#samples.delete(scan.images));
    for (const oldest of this.#samples.keys()) if (this.#samples.size > MAX_KNOWN) this.#samples.delete(oldest);
    return reading;
  }
}

/** Null if something was deleted or cannot be read: a page that lists scans is shown without it. */
async function orNull<Result>(read: () => Promise<Result>): Promise<Result | null> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof PartloopError) return null;
    throw error;
  }
}

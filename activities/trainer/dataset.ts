import { mkdir, readdir, rm, stat, statfs, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PartloopError } from '../../domain/errors.js';
import type { IndexRow } from '../../domain/tables.js';
import { readVariables } from '../../domain/variables.js';
import { isCopyFile, readDerivative } from '../../inference/derivative.js';
import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/objectStore.js';
import { throwIfCancelled } from '../heartbeat.js';
import { forEachLimited, writeWhole } from './files.js';

const DOWNLOADS_IN_FLIGHT = 8;
/** Left free on the disk, for checkpoints and everyone else. */
const SPARE_BYTES = 2 * 2 ** 30;

export interface SyncOptions {
  store: ObjectStore;
  pool: string;
  home: string;
  /** Longest side in pixels of the copies; smaller images are taken as they are. */
  side: number;
  signal: AbortSignal;
  onProgress(done: number, of: number): void;
}

/**
 * Bring the derivatives of `rows` onto this disk and write the list that the trainer reads. The cache is keyed by
 * content and shared by all runs, so a retry and the next iteration download only what is new.
 */
export async function syncDataset(rows: readonly IndexRow[], listPath: string, options: SyncOptions): Promise<void> {
  const { store, pool, home, side, signal } = options;
  const sorted = [...rows].sort((a, b) => (a.imageId < b.imageId ? -1 : 1));
  const lines: string[] = new Array(sorted.length);
  const used = new Set<string>();
  const room = new DiskRoom(home, sorted.length);
  let done = 0;

  const cached = async (key: string): Promise<boolean> => {
    const path = join(home, 'cache', key);
    used.add(path);
    return utimes(path, new Date(), new Date()).then(
      () => true,
      () => false,
    );
  };
  const keep = async (key: string, bytes: Uint8Array): Promise<void> => {
    const path = join(home, 'cache', key);
    await mkdir(dirname(path), { recursive: true });
    await writeWhole(path, bytes);
    room.add(bytes.byteLength);
  };

  await forEachLimited(sorted, DOWNLOADS_IN_FLIGHT, async (row, index) => {
    throwIfCancelled(signal);
    await room.check(sorted.length - done);
    // Content-addressed, so what lies on this disk needs no question to the store.
    const wanted = [keys.derivativeImage(pool, side, row.imageId), keys.derivativeLabel(pool, side, row.labelSha256)];
    const there = await Promise.all(wanted.map(cached));
    // Copies of an older form may lie there.
    if (there.includes(false) || !(await isCopyFile(join(home, 'cache', wanted[0] as string)))) {
      const { image, label } = await readDerivative(store, pool, row, side);
      for (const [number, bytes] of [image, label].entries()) await keep(wanted[number] as string, bytes);
    }
    const [image, label] = wanted.map((key) => join(home, 'cache', key));
    lines[index] = JSON.stringify({ imageId: row.imageId, image, label });
    done += 1;
    options.onProgress(done, sorted.length);
  });
  await writeWhole(listPath, `${lines.join('\n')}\n`);
  await trimCache(join(home, 'cache'), used);
}

/** Says before the disk is full, not after, that a training set does not fit: by the mean size of what came so far. */
class DiskRoom {
  private bytes = 0;
  private files = 0;
  private checkedAt = 0;

  constructor(
    private readonly home: string,
    private readonly images: number,
  ) {}

  add(bytes: number): void {
    this.bytes += bytes;
    this.files += 1;
  }

  async check(imagesLeft: number): Promise<void> {
    if (this.files < 32 || this.files < this.checkedAt + 1_000) return;
    this.checkedAt = this.files;
    const disk = await statfs(this.home);
    const wanted = (this.bytes / this.files) * 2 * imagesLeft + SPARE_BYTES;
    const free = disk.bavail * disk.bsize;
    if (wanted <= free) return;
    throw new PartloopError(
      'setup-incomplete',
      `the training set of ${this.images} images does not fit: about ${gigabytes(wanted)} GB more are needed on the disk of ${this.home}, ${gigabytes(free)} GB are free`,
      { hint: 'Set PARTLOOP_HOME to a larger disk, lower `imageSize`, or free space.' },
    );
  }
}

/** Delete the least recently used files until the cache is within its limit; what this run uses stays. */
async function trimCache(folder: string, used: ReadonlySet<string>): Promise<void> {
  const limit = readVariables(process.env).PARTLOOP_CACHE_GB * 1e9;
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const files: { path: string; size: number; usedAt: number }[] = [];
  for (const entry of names) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const facts = await stat(path).catch(() => null);
    if (facts !== null) files.push({ path, size: facts.size, usedAt: facts.mtimeMs });
  }
  let total = files.reduce((sum, file) => sum + file.size, 0);
  for (const file of files.sort((a, b) => a.usedAt - b.usedAt)) {
    if (total <= limit) return;
    if (used.has(file.path)) continue;
    await rm(file.path, { force: true });
    total -= file.size;
  }
}

const gigabytes = (bytes: number): string => (bytes / 1e9).toFixed(1);

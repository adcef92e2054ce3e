import { utimesSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type LeftOut, leftOutBy } from '../../domain/images/leftOut.js';
import type { IndexRow } from '../../domain/tables.js';
import {
  type Copies,
  type CopyMaker,
  type CopyRequest,
  isCopyFile,
  readDerivative,
} from '../../inference/derivative.js';
import { throwIfCancelled } from '../../steps/heartbeat.js';
import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { forEachLimited } from '../../storage/parallel.js';
import { Apart } from '../../storage/pictures/apart.js';
import { writeWhole } from '../files.js';
import { diskFull, diskFullError, freeBytes, sizeText } from '../room.js';
import { trimCache } from './trimCache.js';

const DOWNLOADS_IN_FLIGHT = 8;
const COPY_MAIN = new URL('../../inference/copyMain.js', import.meta.url);
/** Bytes to leave free on the disk, for checkpoints and other programs. */
const SPARE_BYTES = 2 * 2 ** 30;

export interface SyncOptions {
  store: ObjectStore;
  pool: string;
  home: string;
  /** Longest side in pixels of the copies; smaller images are used as they are. */
  side: number;
  /** Highest label value apart from 255. */
  classes: number;
  signal: AbortSignal;
  /** Takes the files of a run with more than one list: whoever gives it trims the cache (`trimCache`) at the end. */
  used?: Set<string>;
  onProgress(done: number, of: number): void;
}

/** A list in the trainer's form, and the images left out of it. */
export interface Dataset {
  /** One JSON object per image, in order of image id. */
  lines: string[];
  leftOut: LeftOut[];
}

/**
 * Bring the derivatives of `rows` onto this disk. The cache is keyed by content and shared by all runs, so a retry and
 * the next iteration download only what is new. An image that is gone, changed or unusable is left out with its reason,
 * so that it does not end the training hours later. Copies are made in a separate process: a picture that ends it
 * repeatedly is unusable, and nothing else is lost.
 */
export async function syncDataset(rows: readonly IndexRow[], options: SyncOptions): Promise<Dataset> {
  const { store, pool, home, side, classes, signal } = options;
  const sorted = [...rows].sort((a, b) => (a.imageId < b.imageId ? -1 : 1));
  const lines: (string | null)[] = new Array(sorted.length).fill(null);
  const bad: (LeftOut | null)[] = new Array(sorted.length).fill(null);
  const used = options.used ?? new Set<string>();
  const room = new DiskRoom(home, sorted.length);
  let done = 0;

  const cached = (path: string): boolean => {
    used.add(path);
    return touched(path);
  };
  const keep = async (path: string, bytes: Uint8Array): Promise<void> => {
    await mkdir(dirname(path), { recursive: true });
    await writeWhole(path, bytes);
    room.add(bytes.byteLength);
  };

  const copies = new Apart<CopyRequest, Copies>(COPY_MAIN);
  const make: CopyMaker = (request) => copies.ask(request, request.row.fileName);
  const stop = (): Promise<void> => copies.close();
  signal.addEventListener('abort', stop, { once: true });
  try {
    await forEachLimited(sorted, DOWNLOADS_IN_FLIGHT, async (row, index) => {
      throwIfCancelled(signal);
      await room.check(sorted.length - done);
      const paths = cachePaths(home, pool, side, row);
      try {
        // Content-addressed, so files on this disk need no request to the store.
        const there = [cached(paths.image), cached(paths.label)];
        // There may be copies of an older form.
        if (there.includes(false) || !(await isCopyFile(paths.image))) {
          const { image, label } = await readDerivative(store, pool, row, { maxSide: side, classes, make });
          await keep(paths.image, image);
          await keep(paths.label, label);
        }
        lines[index] = JSON.stringify({ imageId: row.imageId, ...paths });
      } catch (error) {
        throwIfCancelled(signal);
        const full = await diskFull(error, home, `copies of ${sorted.length - done} more images are wanted`);
        if (full !== null) throw full;
        bad[index] = leftOutBy(row, error);
      }
      done += 1;
      options.onProgress(done, sorted.length);
    });
  } finally {
    signal.removeEventListener('abort', stop);
    await stop();
  }
  if (options.used === undefined) await trimCache(home, used);
  return { lines: lines.filter((line) => line !== null), leftOut: bad.filter((image) => image !== null) };
}

/** Write a list to the place where the trainer finds it. */
export const writeList = (path: string, { lines }: Pick<Dataset, 'lines'>): Promise<void> =>
  writeWhole(path, `${lines.join('\n')}\n`);

/** Delete the copies of images on this disk: the next run fetches them again. */
export async function dropCached(
  rows: readonly IndexRow[],
  { home, pool, side }: Pick<SyncOptions, 'home' | 'pool' | 'side'>,
): Promise<void> {
  for (const row of rows)
    for (const path of Object.values(cachePaths(home, pool, side, row))) await rm(path, { force: true });
}

/** Note that a file is in use; false if there is none. A wait for the disk's threads takes longer than the answer. */
function touched(path: string): boolean {
  const now = new Date();
  try {
    utimesSync(path, now, now);
    return true;
  } catch {
    return false;
  }
}

function cachePaths(home: string, pool: string, side: number, row: IndexRow): { image: string; label: string } {
  const path = (key: string): string => join(home, 'cache', key);
  return {
    image: path(keys.derivativeImage(pool, side, row.imageId)),
    label: path(keys.derivativeLabel(pool, side, row.labelSha256)),
  };
}

/**
 * Reports before the disk is full, not after, that a training set does not fit: by the mean size of the files so far.
 */
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
    const wanted = (this.bytes / this.files) * 2 * imagesLeft + SPARE_BYTES;
    // Copies are in the cache, which may have a separate disk.
    const folder = join(this.home, 'cache');
    const free = await freeBytes(folder);
    if (wanted <= free) return;
    throw diskFullError(
      folder,
      `the training set of ${this.images} images needs about ${sizeText(wanted)} more, room for checkpoints included`,
      free,
    );
  }
}

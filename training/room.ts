import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { PartloopError } from '../domain/base/errors.js';

const DISK_FULL = new Set(['ENOSPC', 'EDQUOT']);

/** Bytes in a readable unit: `1.5 GB`, `820.0 MB`, `12.0 kB`. */
export function sizeText(bytes: number): string {
  for (const [unit, size] of [
    ['GB', 1e9],
    ['MB', 1e6],
    ['kB', 1e3],
  ] as const) {
    if (bytes >= size) return `${(bytes / size).toFixed(1)} ${unit}`;
  }
  return `${bytes} bytes`;
}

/** Bytes that are free for this process on the disk of a folder. */
export async function freeBytes(folder: string): Promise<number> {
  const disk = await statfs(folder);
  return disk.bavail * disk.bsize;
}

/** Parts of a home that may be on separate disks. */
const PLACES = ['.', 'work', 'cache'] as const;

/** The folder of a home whose disk has the least room: the system's error seldom tells which one is full. */
async function fullest(home: string): Promise<{ folder: string; free: number }> {
  const places = PLACES.map(async (place) => {
    const folder = join(home, place);
    return { folder, free: await freeBytes(folder).catch(() => Number.POSITIVE_INFINITY) };
  });
  return (await Promise.all(places)).reduce((least, each) => (each.free < least.free ? each : least));
}

/**
 * `disk-full` for an error that the system gives for a full disk, also if it is deep in the causes; null for any other
 * error.
 *
 * @param needs the thing to be written, in words: `the checkpoint of iteration 300 needs 1.2 GB`
 */
export async function diskFull(error: unknown, home: string, needs: string): Promise<PartloopError | null> {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (!('code' in cause) || typeof cause.code !== 'string' || !DISK_FULL.has(cause.code)) continue;
    const { folder, free } = await fullest(home);
    return diskFullError(folder, needs, free, error);
  }
  return null;
}

/** The error for a disk without room: the need and the free bytes. */
export function diskFullError(folder: string, needs: string, free: number, cause?: unknown): PartloopError {
  return new PartloopError('disk-full', `the disk of ${folder} is full: ${needs}, ${sizeText(free)} are free`, {
    hint: 'Free space on that disk, set PARTLOOP_HOME to a larger one, or lower PARTLOOP_CACHE_GB.',
    ...(cause === undefined ? {} : { cause }),
  });
}

import { statfs } from 'node:fs/promises';
import { PartloopError } from '../../domain/errors.js';

const DISK_FULL = new Set(['ENOSPC', 'EDQUOT']);

/** Bytes in the unit that people read: `1.5 GB`, `820.0 MB`, `12.0 kB`. */
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

/**
 * `disk-full` for an error that the system gives for a full disk, also deep in its causes; null for any other error.
 *
 * @param needs what was to be written, in words: `the checkpoint of iteration 300 needs 1.2 GB`
 */
export async function diskFull(error: unknown, folder: string, needs: string): Promise<PartloopError | null> {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if ('code' in cause && typeof cause.code === 'string' && DISK_FULL.has(cause.code))
      return diskFullError(folder, needs, await freeBytes(folder), error);
  }
  return null;
}

/** The error for a disk that has no room: what needs how much, and how much there is. */
export function diskFullError(folder: string, needs: string, free: number, cause?: unknown): PartloopError {
  return new PartloopError('disk-full', `the disk of ${folder} is full: ${needs}, ${sizeText(free)} are free`, {
    hint: 'Free space on that disk, set PARTLOOP_HOME to a larger one, or lower PARTLOOP_CACHE_GB.',
    ...(cause === undefined ? {} : { cause }),
  });
}

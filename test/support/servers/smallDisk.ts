import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A disk of a size of its own, mounted on a folder. */
export interface SmallDisk {
  resize(size: string): Promise<void>;
  remove(): Promise<void>;
}

/** Mount a small disk (`size` as mount takes it: `64k`); null, with a message, if that is not permitted. */
export async function smallDisk(folder: string, size: string): Promise<SmallDisk | null> {
  await mkdir(folder, { recursive: true });
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'none', folder]);
  } catch (error) {
    console.log(`      mounting a small disk is not permitted here: ${error instanceof Error ? error.message : error}`);
    return null;
  }
  return {
    resize: async (larger) => void (await run('mount', ['-o', `remount,size=${larger}`, folder])),
    remove: async () => void (await run('umount', ['--lazy', folder])),
  };
}

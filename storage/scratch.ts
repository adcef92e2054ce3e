import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';

/** Folders of this process that are in use. */
const inUse = new Set<string>();

/** A folder for files that are of no use once the work is done. */
export interface ScratchFolder {
  path: string;
  remove(): Promise<void>;
}

/**
 * Make a folder for the files of one piece of work. What processes left behind that were killed is removed first: its
 * files may be as large as what clients send.
 *
 * @param kind what the folder is for, in letters
 * @param place the folder that it is made in
 */
export async function makeScratchFolder(kind: string, place = tmpdir()): Promise<ScratchFolder> {
  const own = `partloop-${kind}-${hostname().replaceAll('-', '_')}-`;
  await removeLeftovers(place, own);
  const path = await mkdtemp(join(place, `${own}${process.pid}-`));
  inUse.add(path);
  return {
    path,
    async remove() {
      await rm(path, { recursive: true, force: true });
      inUse.delete(path);
    },
  };
}

/** Other hosts may share the place, whose processes are not seen from here: their folders stay. */
async function removeLeftovers(place: string, own: string): Promise<void> {
  const names = await readdir(place).catch(() => []);
  for (const name of names) {
    if (!name.startsWith(own)) continue;
    const pid = Number(name.slice(own.length).split('-')[0]);
    const path = join(place, name);
    // A container that starts again may have the process id that it had before.
    const isLeft = pid === process.pid ? !inUse.has(path) : !isRunning(pid);
    if (isLeft) await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}

import { copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Logger } from 'pino';
import { z } from 'zod';
import { sha256Schema } from '../../domain/ids.js';
import type { ObjectStore } from '../../storage/objectStore.js';
import type { StoredCheckpoint } from './checkpointChain.js';
import { type LocalCheckpoint, logOf, sidecarOf } from './checkpointUploader.js';
import { sha256File } from './files.js';

const sidecarSchema = z.object({ iteration: z.number().int().nonnegative(), sha256: sha256Schema });

/**
 * The folder of one attempt, `<home>/work/<digest>/<token>`: two attempts on one machine, the older not yet gone, must
 * not write into each other's files. Checkpoints of earlier attempts are taken over from beside it.
 */
export class WorkDir {
  readonly run: string;
  readonly path: string;

  constructor(home: string, digest: string, token: string) {
    this.run = join(home, 'work', digest.slice(0, 32));
    this.path = join(this.run, token);
  }

  /**
   * Make the folder and put the newest whole checkpoint into it: one left on this disk by an earlier attempt, or the
   * store's. Returns it, and whether it came from this disk and is thus not in the store yet.
   */
  async prepare(
    store: ObjectStore,
    stored: StoredCheckpoint | null,
    log: Logger,
  ): Promise<{ checkpoint: LocalCheckpoint; local: boolean } | null> {
    const folder = join(this.path, 'checkpoints');
    await mkdir(folder, { recursive: true });
    const local = await this.newestLocal();
    if (local !== null && local.iteration > (stored?.iteration ?? -1)) {
      const checkpoint = await this.adopt(local, folder);
      await this.removeSiblings();
      return { checkpoint, local: true };
    }
    await this.removeSiblings();
    if (stored === null) return null;

    const path = join(folder, `${String(stored.iteration).padStart(8, '0')}.pt`);
    await store.getFile(stored.key, path);
    if ((await sha256File(path)) !== stored.sha256) {
      log.warn({ key: stored.key }, 'the stored checkpoint has another checksum; training starts over');
      await rm(path);
      return null;
    }
    await store.getFile(stored.log, logOf(path));
    await writeFile(sidecarOf(path), stored.sidecar);
    return { checkpoint: { iteration: stored.iteration, path, sha256: stored.sha256 }, local: false };
  }

  /** Delete everything of this run on this disk: after its outputs are in the store. */
  async remove(): Promise<void> {
    await rm(this.run, { recursive: true, force: true });
  }

  private async newestLocal(): Promise<LocalCheckpoint | null> {
    const found: LocalCheckpoint[] = [];
    for (const attempt of await readdir(this.run)) {
      const folder = join(this.run, attempt, 'checkpoints');
      const names = await readdir(folder).catch(() => []);
      for (const name of names.filter((entry) => entry.endsWith('.json'))) {
        const facts = await readSidecar(join(folder, name));
        if (facts !== null) found.push({ ...facts, path: join(folder, name.replace(/\.json$/, '.pt')) });
      }
    }
    for (const candidate of found.sort((a, b) => b.iteration - a.iteration)) {
      const sha256 = await sha256File(candidate.path).catch(() => null);
      if (sha256 === candidate.sha256) return candidate;
    }
    return null;
  }

  private async adopt(local: LocalCheckpoint, folder: string): Promise<LocalCheckpoint> {
    const path = join(folder, basename(local.path));
    if (dirname(local.path) === folder) return local;
    // The file first, its sidecar last: without it the file does not count.
    await copyFile(logOf(local.path), logOf(path)).catch(() => writeFile(logOf(path), ''));
    await rename(local.path, path).catch(() => copyFile(local.path, path));
    await copyFile(sidecarOf(local.path), sidecarOf(path));
    return { ...local, path };
  }

  private async removeSiblings(): Promise<void> {
    for (const attempt of await readdir(this.run)) {
      if (attempt !== basename(this.path)) await rm(join(this.run, attempt), { recursive: true, force: true });
    }
  }
}

async function readSidecar(path: string): Promise<{ iteration: number; sha256: string } | null> {
  try {
    const parsed = sidecarSchema.safeParse(JSON.parse(await readFile(path, 'utf8')));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

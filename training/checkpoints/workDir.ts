import { copyFile, mkdir, readdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Logger } from 'pino';
import { z } from 'zod';
import { PartloopError } from '../../domain/base/errors.js';
import { sha256Schema } from '../../domain/base/ids.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { sha256File } from '../files.js';
import type { LostCheckpoint, StoredCheckpoint } from './chainState.js';
import { type LocalCheckpoint, logOf, sidecarOf } from './checkpointUploader.js';

const sidecarSchema = z.object({ iteration: z.number().int().nonnegative(), sha256: sha256Schema });

/** The checkpoint from which a run continues. */
export interface Prepared {
  checkpoint: LocalCheckpoint | null;
  /** Whether it came from this disk, so that it is not in the store yet. */
  isLocal: boolean;
  /** Checkpoints of the store that were skipped. */
  lost: LostCheckpoint[];
}

/**
 * The folder of one attempt, `work/<digest>/<token>` of the home: two attempts on one machine, the older not yet gone,
 * must not write into each other's files. Checkpoints of earlier attempts are taken over from the neighbouring folders.
 */
export class WorkDir {
  readonly run: string;
  readonly path: string;

  constructor(home: string, digest: string, token: string) {
    this.run = join(home, 'work', digest.slice(0, 32));
    this.path = join(this.run, token);
  }

  /**
   * Make the folder and put the newest whole checkpoint into it: one left on this disk by an earlier attempt, or one of
   * the store's, newest first. Damaged or missing ones of the store are skipped and named.
   */
  async prepare(store: ObjectStore, stored: readonly StoredCheckpoint[], log: Logger): Promise<Prepared> {
    const folder = join(this.path, 'checkpoints');
    await mkdir(folder, { recursive: true });
    const local = await this.newestLocal(log);
    const bad: { iteration: number; key: string; why: LostCheckpoint['why'] }[] = [];
    const prepared = (checkpoint: LocalCheckpoint | null, isLocal: boolean): Prepared => {
      const resumedFrom = checkpoint?.iteration ?? 0;
      return { checkpoint, isLocal, lost: bad.map((entry) => ({ ...entry, resumedFrom })) };
    };
    for (const entry of stored) {
      if (local !== null && local.iteration > entry.iteration) break;
      const fetched = await fetchWhole(store, entry, folder, log);
      if (typeof fetched !== 'string') {
        await this.removeSiblings();
        return prepared(fetched, false);
      }
      bad.push({ iteration: entry.iteration, key: entry.key, why: fetched });
    }
    const checkpoint = local === null ? null : await this.adopt(local, folder);
    await this.removeSiblings();
    return prepared(checkpoint, checkpoint !== null);
  }

  /** Delete everything of this run on this disk; call it after its outputs are in the store. */
  async remove(): Promise<void> {
    await rm(this.run, { recursive: true, force: true });
  }

  /** Delete this attempt's files on this disk: another attempt has the lease, and continues without them. */
  async leave(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
    // A newer attempt on this machine keeps the folder of the run.
    await rmdir(this.run).catch(() => undefined);
  }

  private async newestLocal(log: Logger): Promise<LocalCheckpoint | null> {
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
      log.warn({ path: candidate.path }, 'a checkpoint on this disk is torn and passed over');
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

/**
 * A checkpoint of the store on this disk, or the reason why there is none. A bad copy is fetched once more, since the
 * network may be at fault.
 */
async function fetchWhole(
  store: ObjectStore,
  stored: StoredCheckpoint,
  folder: string,
  log: Logger,
): Promise<LocalCheckpoint | LostCheckpoint['why']> {
  const path = join(folder, `${String(stored.iteration).padStart(8, '0')}.pt`);
  for (let attempt = 0; attempt < 2; attempt++) {
    if (!(await fetchIfThere(store, stored.key, path))) return 'missing';
    if ((await sha256File(path)) !== stored.sha256) continue;
    if (!(await fetchIfThere(store, stored.log, logOf(path)))) {
      log.warn({ key: stored.log }, 'the progress log beside a checkpoint is gone: the log starts here');
      await writeFile(logOf(path), '');
    }
    await writeFile(sidecarOf(path), stored.sidecar);
    return { iteration: stored.iteration, path, sha256: stored.sha256 };
  }
  await rm(path, { force: true });
  return 'damaged';
}

async function fetchIfThere(store: ObjectStore, key: string, path: string): Promise<boolean> {
  try {
    await store.getFile(key, path);
    return true;
  } catch (error) {
    if (error instanceof PartloopError && error.code === 'not-found') return false;
    throw error;
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

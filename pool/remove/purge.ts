import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { basename } from 'node:path/posix';
import { keys } from '../../storage/keys.js';
import type { FailedDelete, ObjectStore } from '../../storage/objects/objectStore.js';
import type { Pool } from '../../storage/pool/pool.js';
import type { PoolHistory } from '../../storage/pool/poolHistory.js';
import { isPurged } from '../import/decide.js';
import { withReasons } from './rejectedCopies.js';

const BATCH = 1_000;
const SIDE = /\/derivatives\/\d+\/(images|labels)\/([0-9a-f]{64})$/;

export interface Purge {
  /** Objects now deleted from the store: pictures, labels of all revisions, smaller copies, copies of iterations. */
  images: number;
  labels: number;
  derivatives: number;
  labelCopies: number;
  /** Copies among the files that were rejected from the inbox; each has its reason deleted too. */
  rejected: number;
  /** Files now deleted from the cache of this machine. */
  cached: number;
  /** Labels that stay, since remaining images have the same ones. */
  sharedLabels: number;
  /** Objects that the store did not delete. */
  failed: FailedDelete[];
  /** Pictures outside the pool, which their owner deletes. */
  elsewhere: string[];
  /** The bucket keeps old versions of objects: deleting hides them, and only their own expiry deletes them. */
  isVersioned: boolean;
}

export interface PurgeRequest {
  /** Only images that are removed from the pool with their bytes are touched. */
  imageIds: readonly string[];
  /** Copies of their labels that iterations made. */
  labelCopies: readonly string[];
  /** Keys of copies among rejected files. */
  rejected: readonly string[];
  /** Folder of this machine's copies of the store's objects; null if there are none. */
  cacheFolder: string | null;
  onProgress(objects: number): void;
}

/**
 * Delete the bytes of removed images. A second call deletes the rest of a first one. Labels that a remaining image also
 * has, in any revision, are kept. They are searched again before each batch, since imports may run meanwhile.
 */
export async function purgeBytes(store: ObjectStore, pool: Pool, request: PurgeRequest): Promise<Purge> {
  const purging = new Purging(store, pool, request, targetsOf(await pool.history(), request.imageIds));
  await purging.askWhetherVersioned();
  await purging.removeImages();
  await purging.removeLabels();
  await purging.removeLabelCopies();
  await purging.removeRejected();
  await purging.removeDerivatives();
  if (request.cacheFolder !== null) await purging.removeCached(request.cacheFolder);
  return purging.report();
}

/** The objects of removed images to delete, by the pool's state when the purge begins. */
interface Targets {
  /** Images whose removal takes their bytes too. */
  gone: Set<string>;
  /** Those of them whose pictures are in the store. */
  stored: ReadonlySet<string>;
  /** Digests of their labels, of all revisions. */
  labels: ReadonlySet<string>;
  /** URIs of their pictures outside the pool. */
  elsewhere: ReadonlySet<string>;
}

function targetsOf(history: PoolHistory, imageIds: readonly string[]): Targets {
  const gone = new Set(
    imageIds.filter((imageId) => {
      const latest = history.latest(imageId);
      return latest !== undefined && isPurged(latest);
    }),
  );
  const elsewhere = new Set<string>();
  const stored = new Set<string>();
  const labels = new Set<string>();
  for (const imageId of gone) {
    for (const { imageUri, labelSha256 } of history.revisions(imageId)) {
      if (imageUri.startsWith('s3://')) elsewhere.add(imageUri);
      else stored.add(imageId);
      labels.add(labelSha256);
    }
  }
  return { gone, stored, labels, elsewhere };
}

/** A running purge, with its deletions so far. */
class Purging {
  private readonly purge: Purge;
  private readonly copies: readonly string[];
  private readonly copiedLabels: ReadonlySet<string>;
  /** Labels that remaining images also have. */
  private readonly shared = new Set<string>();
  private done = 0;

  constructor(
    private readonly store: ObjectStore,
    private readonly pool: Pool,
    private readonly request: PurgeRequest,
    private readonly targets: Targets,
  ) {
    this.copies = [...request.labelCopies];
    this.copiedLabels = new Set(this.copies.map((key) => basename(key, '.png')));
    this.purge = {
      ...{ images: 0, labels: 0, derivatives: 0, labelCopies: 0, rejected: 0, cached: 0, sharedLabels: 0 },
      ...{ failed: [], elsewhere: [...targets.elsewhere].sort(), isVersioned: false },
    };
  }

  report(): Purge {
    return { ...this.purge, sharedLabels: this.shared.size };
  }

  async askWhetherVersioned(): Promise<void> {
    const [someImage] = this.targets.stored;
    if (someImage === undefined) return;
    const facts = await this.store.head(keys.image(this.pool.name, someImage));
    this.purge.isVersioned = facts !== null && facts.versionId !== null && facts.versionId !== 'null';
  }

  async removeImages(): Promise<void> {
    for (const ids of batches(this.targets.stored)) {
      await this.forgetRestored();
      const dead = ids.filter((imageId) => this.targets.gone.has(imageId));
      this.purge.images += await this.remove(dead.map((imageId) => keys.image(this.pool.name, imageId)));
    }
  }

  async removeLabels(): Promise<void> {
    for (const batch of batches(this.targets.labels)) {
      const dead = await this.unused(batch);
      this.purge.labels += await this.remove(dead.map((sha256) => keys.label(this.pool.name, sha256)));
    }
  }

  async removeLabelCopies(): Promise<void> {
    for (const batch of batches(this.copies)) this.purge.labelCopies += await this.remove(batch);
  }

  async removeRejected(): Promise<void> {
    for (const batch of batches(this.request.rejected)) {
      await this.remove(withReasons(batch));
      const failed = new Set(this.purge.failed.map(({ key }) => key));
      this.purge.rejected += batch.filter((key) => !failed.has(key)).length;
    }
  }

  async removeDerivatives(): Promise<void> {
    let found: string[] = [];
    for await (const { key } of this.store.list(keys.derivativePrefix(this.pool.name))) {
      const [, kind, sha256 = ''] = SIDE.exec(key) ?? [];
      if (!this.isDead(kind, sha256)) continue;
      found.push(key);
      if (found.length < BATCH) continue;
      this.purge.derivatives += await this.remove(found);
      found = [];
    }
    this.purge.derivatives += await this.remove(found);
  }

  async removeCached(folder: string): Promise<void> {
    const root = join(folder, keys.derivativePrefix(this.pool.name));
    for (const side of await readdir(root).catch(() => [])) {
      for (const kind of ['images', 'labels']) {
        const place = join(root, side, kind);
        for (const sha256 of await readdir(place).catch(() => [])) {
          if (!this.isDead(kind, sha256)) continue;
          await rm(join(place, sha256), { force: true });
          this.purge.cached += 1;
        }
      }
    }
  }

  private async remove(targets: string[]): Promise<number> {
    if (targets.length === 0) return 0;
    const failed = await this.store.tryDelete(targets);
    this.purge.failed.push(...failed);
    this.done += targets.length;
    this.request.onProgress(this.done);
    return targets.length - failed.length;
  }

  /** An import may restore images during this. */
  private async forgetRestored(): Promise<void> {
    const { gone } = this.targets;
    const now = await this.pool.history();
    for (const imageId of gone) {
      const latest = now.latest(imageId);
      if (latest !== undefined && !isPurged(latest)) gone.delete(imageId);
    }
  }

  /** Labels that no remaining image has, by the pool's present state. */
  private async unused(batch: readonly string[]): Promise<string[]> {
    await this.forgetRestored();
    const asked = new Set(batch);
    const now = await this.pool.history();
    for (const { imageId, labelSha256 } of now.rows()) {
      if (!asked.has(labelSha256) || this.targets.gone.has(imageId)) continue;
      // Images of an earlier deletion no longer need it.
      const latest = now.latest(imageId);
      if (latest !== undefined && !isPurged(latest)) this.shared.add(labelSha256);
    }
    return batch.filter((sha256) => !this.shared.has(sha256));
  }

  private isDead(kind: string | undefined, sha256: string): boolean {
    const { gone, labels } = this.targets;
    if (kind === 'images') return gone.has(sha256);
    return (labels.has(sha256) && !this.shared.has(sha256)) || this.copiedLabels.has(sha256);
  }
}

function* batches(values: Iterable<string>): Generator<string[]> {
  let batch: string[] = [];
  for (const value of values) {
    batch.push(value);
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

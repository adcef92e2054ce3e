import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { basename } from 'node:path/posix';
import { keys } from '../../storage/keys.js';
import type { FailedDelete, ObjectStore } from '../../storage/objects/objectStore.js';
import type { Pool } from '../../storage/pool.js';
import { isPurged } from '../import/decide.js';

const BATCH = 1_000;
const SIDE = /\/derivatives\/\d+\/(images|labels)\/([0-9a-f]{64})$/;

export interface Purge {
  /** Objects that are gone from the store now: pictures, labels of all revisions, smaller copies, copies of iterations. */
  images: number;
  labels: number;
  derivatives: number;
  labelCopies: number;
  /** Files that are gone from the cache of this machine. */
  cached: number;
  /** Labels that stay, since images that stay have the same ones. */
  sharedLabels: number;
  /** Objects that the store did not delete. */
  failed: FailedDelete[];
  /** Pictures that lie elsewhere and are their owner's to delete. */
  elsewhere: string[];
  /** The bucket keeps old versions of objects: deleting hides them, and only their own expiry deletes them. */
  isVersioned: boolean;
}

export interface PurgeRequest {
  /** Only those that are removed from the pool with their bytes are touched. */
  imageIds: readonly string[];
  /** Copies of their labels that iterations made. */
  labelCopies: readonly string[];
  /** Where this machine keeps copies of the store's objects; null where it keeps none. */
  cacheFolder: string | null;
  onProgress(objects: number): void;
}

/**
 * Delete the bytes of removed images. A second time it deletes what a first one left. Labels that an image which stays has
 * too, in whatever revision, are kept; those are looked for again before each batch, since imports may go on meanwhile.
 */
export async function purgeBytes(store: ObjectStore, pool: Pool, request: PurgeRequest): Promise<Purge> {
  const history = await pool.history();
  const gone = new Set(
    request.imageIds.filter((imageId) => {
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
  const copies = [...request.labelCopies];
  const copiedLabels = new Set(copies.map((key) => basename(key, '.png')));
  const shared = new Set<string>();
  const purge: Purge = {
    ...{ images: 0, labels: 0, derivatives: 0, labelCopies: 0, cached: 0, sharedLabels: 0 },
    ...{ failed: [], elsewhere: [...elsewhere].sort(), isVersioned: false },
  };
  let done = 0;

  const [someImage] = stored;
  if (someImage !== undefined) {
    const facts = await store.head(keys.image(pool.name, someImage));
    purge.isVersioned = facts !== null && facts.versionId !== null && facts.versionId !== 'null';
  }
  for (const ids of batches(stored)) {
    await forgetRestored();
    const dead = ids.filter((imageId) => gone.has(imageId));
    purge.images += await remove(dead.map((imageId) => keys.image(pool.name, imageId)));
  }
  for (const batch of batches(labels)) {
    const dead = await unused(batch);
    purge.labels += await remove(dead.map((sha256) => keys.label(pool.name, sha256)));
  }
  for (const batch of batches(copies)) purge.labelCopies += await remove(batch);
  await removeDerivatives();
  if (request.cacheFolder !== null) await removeCached(request.cacheFolder);
  purge.sharedLabels = shared.size;
  return purge;

  /** An import may take images back while this goes on. */
  async function forgetRestored(): Promise<void> {
    const now = await pool.history();
    for (const imageId of gone) {
      const latest = now.latest(imageId);
      if (latest !== undefined && !isPurged(latest)) gone.delete(imageId);
    }
  }

  /** Labels that no image which stays has, by what the pool says now. */
  async function unused(batch: readonly string[]): Promise<string[]> {
    await forgetRestored();
    const asked = new Set(batch);
    const now = await pool.history();
    for (const { imageId, labelSha256 } of now.rows()) {
      if (!asked.has(labelSha256) || gone.has(imageId)) continue;
      // Those of an earlier deletion need it no more.
      const latest = now.latest(imageId);
      if (latest !== undefined && !isPurged(latest)) shared.add(labelSha256);
    }
    return batch.filter((sha256) => !shared.has(sha256));
  }

  async function remove(targets: string[]): Promise<number> {
    if (targets.length === 0) return 0;
    const failed = await store.tryDelete(targets);
    purge.failed.push(...failed);
    done += targets.length;
    request.onProgress(done);
    return targets.length - failed.length;
  }

  function isDead(kind: string | undefined, sha256: string): boolean {
    if (kind === 'images') return gone.has(sha256);
    return (labels.has(sha256) && !shared.has(sha256)) || copiedLabels.has(sha256);
  }

  async function removeDerivatives(): Promise<void> {
    let found: string[] = [];
    for await (const { key } of store.list(keys.derivativePrefix(pool.name))) {
      const [, kind, sha256 = ''] = SIDE.exec(key) ?? [];
      if (!isDead(kind, sha256)) continue;
      found.push(key);
      if (found.length < BATCH) continue;
      purge.derivatives += await remove(found);
      found = [];
    }
    purge.derivatives += await remove(found);
  }

  async function removeCached(folder: string): Promise<void> {
    const root = join(folder, keys.derivativePrefix(pool.name));
    for (const side of await readdir(root).catch(() => [])) {
      for (const kind of ['images', 'labels']) {
        const place = join(root, side, kind);
        for (const sha256 of await readdir(place).catch(() => [])) {
          if (!isDead(kind, sha256)) continue;
          await rm(join(place, sha256), { force: true });
          purge.cached += 1;
        }
      }
    }
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

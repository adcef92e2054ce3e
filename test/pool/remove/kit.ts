import { createHash } from 'node:crypto';
import { type ImportItem, NO_FACTS } from '../../../formats/reading/importItem.js';
import { planRemoval } from '../../../pool/remove/planRemoval.js';
import { type Purge, purgeBytes } from '../../../pool/remove/purge.js';
import { removeImages } from '../../../pool/remove/removeImages.js';
import type { Choice } from '../../../pool/remove/select.js';
import { keys } from '../../../storage/keys.js';
import type { ObjectStore } from '../../../storage/objects/objectStore.js';
import { openPool, type Pool } from '../../../storage/pool/pool.js';
import { mask, picture } from '../../support/pictures/pictures.js';

export const NOW = new Date('2026-02-01T00:00:00Z');

/** A picture that no other seed has, its label all `value`. */
export const item = (seed: number, value: number, more: Partial<ImportItem> = {}): ImportItem => ({
  fileName: `front/${seed}.jpg`,
  image: { kind: 'bytes', read: () => picture(seed) },
  label: async () => ({ pixels: new Uint8Array(24 * 16).fill(value), notes: [] }),
  facts: NO_FACTS,
  ...more,
});

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
export const imageIdOf = async (seed: number): Promise<string> => sha256(await picture(seed));
export const labelOf = async (value: number): Promise<string> => sha256(await mask(value));

/** File names of the images that a pool has. */
export async function namesOf(pool: Pool): Promise<string[]> {
  return (await pool.history())
    .images()
    .map(({ fileName }) => fileName)
    .sort();
}

export const named = (...names: string[]): Choice => ({ names, conditions: [] });
export const where = (...conditions: string[]): Choice => ({ names: null, conditions });

export async function planOf(store: ObjectStore, choice: Choice, bytes = false, pool = 'cars') {
  return planRemoval(store, await openPool(store, pool), choice, { bytes, onProgress: () => undefined });
}

/** The same as `pool remove --bytes --yes`. */
export async function purgeImages(
  store: ObjectStore,
  choice: Choice,
  cacheFolder: string | null = null,
): Promise<Purge> {
  const { imageIds, traces } = await planOf(store, choice, true);
  const pool = await openPool(store, 'cars');
  await removeImages(pool, imageIds, { purge: true, now: NOW });
  const { labelCopies, rejected } = traces;
  return purgeBytes(store, pool, { imageIds, labelCopies, rejected, cacheFolder, onProgress: () => undefined });
}

/** Correct a label: all of it is `value` now. */
export async function review(store: ObjectStore, imageId: string, value: number): Promise<void> {
  const label = await mask(value);
  const labelSha256 = sha256(label);
  const labelUri = keys.label('cars', labelSha256);
  await store.put(labelUri, label);
  await (await openPool(store, 'cars')).append((history) => {
    const row = history.latest(imageId);
    if (row === undefined) throw new Error(`no image ${imageId}`);
    const labelRevision = row.labelRevision + 1;
    return [{ ...row, labelSha256, labelUri, classes: [value], labelRevision, change: 'review', changeId: 'r1' }];
  });
}

/** Keys of a store that have this in them. */
export const under = (store: { keys: readonly string[] }, part: string): string[] =>
  store.keys.filter((key) => key.includes(part));

import type { IndexRow } from '../../../domain/tables.js';
import { type ImportItem, NO_FACTS } from '../../../formats/reading/importItem.js';
import type { ObjectStore } from '../../../storage/objects/objectStore.js';
import { openPool } from '../../../storage/pool/pool.js';
import { picture } from '../../support/pictures/pictures.js';

export const SIDE = { width: 24, height: 16 };

/** An item with the picture of `seed`, its label all `value`. */
export const item = (seed: number, value: number, more: Partial<ImportItem> = {}): ImportItem => ({
  fileName: `${seed}.jpg`,
  image: { kind: 'bytes', read: () => picture(seed) },
  label: async () => ({ pixels: new Uint8Array(SIDE.width * SIDE.height).fill(value), notes: [] }),
  facts: NO_FACTS,
  ...more,
});

/** The images that pool `cars` has now. */
export const indexOf = async (store: ObjectStore): Promise<IndexRow[]> => {
  const pool = await openPool(store, 'cars');
  return pool.readIndex(await pool.latestVersion());
};

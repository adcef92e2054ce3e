import { seededRandom, shuffle } from '../domain/base/random.js';
import { isFaultOfImage } from '../domain/images/leftOut.js';
import type { IndexRow } from '../domain/tables.js';
import type { ObjectStore } from '../storage/objects/objectStore.js';
import { readImage } from '../storage/pictures/imageSource.js';
import { decodeForNetwork, type NetworkImage } from './decode.js';

/** Number of pictures on which a network is tried before it judges. */
export const SAMPLE_PICTURES = 8;

/** Rows in the order of their use in a trial: the same for the same rows, with some spare ones. */
export function sampleOrder(rows: readonly IndexRow[]): IndexRow[] {
  const order = shuffle(
    rows.map((_, index) => index),
    seededRandom('sample-pictures'),
  );
  return order.slice(0, 4 * SAMPLE_PICTURES).map((index) => rows[index] as IndexRow);
}

/**
 * Real pictures among `rows` as a network with a canvas of `size` sees them, at most `SAMPLE_PICTURES`. Unreadable
 * pictures are skipped, since a scan names them itself.
 */
export async function samplePictures(
  store: ObjectStore,
  rows: readonly IndexRow[],
  size: number,
): Promise<NetworkImage[]> {
  const found: NetworkImage[] = [];
  for (const row of sampleOrder(rows)) {
    if (found.length === SAMPLE_PICTURES) break;
    try {
      found.push(await decodeForNetwork(await readImage(store, row), size, row.fileName));
    } catch (error) {
      if (!isFaultOfImage(error)) throw error;
    }
  }
  return found;
}

import { seededRandom, shuffle } from '../domain/base/random.js';
import { isFaultOfImage } from '../domain/images/leftOut.js';
import type { IndexRow } from '../domain/tables.js';
import type { ObjectStore } from '../storage/objects/objectStore.js';
import { readImage } from '../storage/pictures/imageSource.js';
import { decodeForNetwork, type NetworkImage } from './decode.js';

/** Number of pictures on which a network is tried before it judges. */
export const SAMPLE_PICTURES = 8;

/** Rows in the order in which they are taken for a trial: the same for the same rows, with some to spare. */
export function sampleOrder<Row>(rows: readonly Row[]): Row[] {
  return shuffle(rows, seededRandom('sample-pictures')).slice(0, 4 * SAMPLE_PICTURES);
}

/**
 * Real pictures of `rows`, in their order (`sampleOrder`), as a network with a canvas of `size` sees them, at most
 * `SAMPLE_PICTURES`. Those that cannot be read are passed over, since a scan names them itself.
 */
export async function samplePictures(
  store: ObjectStore,
  rows: readonly IndexRow[],
  size: number,
): Promise<NetworkImage[]> {
  const found: NetworkImage[] = [];
  for (const row of rows) {
    if (found.length === SAMPLE_PICTURES) break;
    try {
      found.push(await decodeForNetwork(await readImage(store, row), size, row.fileName));
    } catch (error) {
      if (!isFaultOfImage(error)) throw error;
    }
  }
  return found;
}

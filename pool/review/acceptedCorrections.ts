import { setterOf } from '../../domain/review/labelHistory.js';
import type { IndexRow } from '../../domain/tables.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import type { Pool } from '../../storage/pool/pool.js';
import { readReviews, withdrawnIn } from '../../storage/reviews.js';

/**
 * The images of a pool whose label is a correction: one that a review brought and that nobody took back. Labels of
 * imports, also of later ones, are none.
 *
 * @returns their newest rows, ordered by file name
 */
export async function acceptedCorrections(store: ObjectStore, pool: Pool): Promise<IndexRow[]> {
  const isWithdrawn = withdrawnIn(await readReviews(store, pool.name));
  const history = await pool.history();
  return [...history.present()]
    .filter(({ imageId }) => {
      const rows = history.revisions(imageId);
      if (rows.length === 1) return false;
      const setter = setterOf(rows, rows.length - 1, isWithdrawn);
      return setter.row.change === 'review' && !setter.isWithdrawn && setter.row.labelSha256 !== rows[0]?.labelSha256;
    })
    .sort((a, b) => (a.fileName < b.fileName ? -1 : 1));
}

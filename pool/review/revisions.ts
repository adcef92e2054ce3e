import { createHash } from 'node:crypto';
import type { IndexRow } from '../../domain/tables.js';
import { keys } from '../../storage/keys.js';
import { encodeLabel } from '../../storage/labelMask.js';
import type { ObjectStore } from '../../storage/objectStore.js';
import type { Pool } from '../../storage/pool.js';
import { classesOf } from '../import/candidate.js';

/**
 * Store a corrected label and make the row of its image that names it. The row with the label that was there before stays in
 * the pool's index; the new one wins by its revision. null where the label is the one that the image has already.
 *
 * @throws PartloopError `data-invalid` for a label with a value that the taxonomy does not have
 */
export async function correctedRow(
  store: ObjectStore,
  pool: Pool,
  row: IndexRow,
  label: Uint8Array,
  now: Date,
): Promise<IndexRow | null> {
  const classes = classesOf(label, pool.taxonomy);
  const encoded = await encodeLabel(label, row.width, row.height);
  const labelSha256 = createHash('sha256').update(encoded).digest('hex');
  if (labelSha256 === row.labelSha256) return null;
  const labelUri = keys.label(pool.name, labelSha256);
  await store.putIfAbsent(labelUri, encoded, 'image/png');
  return {
    ...row,
    labelUri,
    labelSha256,
    classes,
    labelRevision: row.labelRevision + 1,
    ingestedAt: now.toISOString(),
    change: 'review',
  };
}

import { createHash } from 'node:crypto';
import { PartloopError } from '../domain/base/errors.js';
import type { IndexRow } from '../domain/tables.js';
import { BACKGROUND, IGNORE_INDEX, type Taxonomy } from '../domain/taxonomy.js';
import { keys } from '../storage/keys.js';
import { encodeLabel } from '../storage/pictures/labelMask.js';

/** The facts about a label in an index row. */
export type LabelFields = Pick<IndexRow, 'labelUri' | 'labelSha256' | 'classes'>;

/** A label as a pool stores it: named by the digest of its bytes. */
export interface PoolLabel extends LabelFields {
  bytes: Buffer;
}

/**
 * A label on its way into a pool.
 *
 * @throws PartloopError `data-invalid` for a value that the taxonomy does not have, and for a label of only ignored
 * pixels
 */
export async function poolLabel(
  { name, taxonomy }: { name: string; taxonomy: Taxonomy },
  pixels: Uint8Array,
  { width, height }: Pick<IndexRow, 'width' | 'height'>,
): Promise<PoolLabel> {
  const classes = classesOf(pixels, taxonomy);
  const bytes = await encodeLabel(pixels, width, height);
  const labelSha256 = createHash('sha256').update(bytes).digest('hex');
  return { labelUri: keys.label(name, labelSha256), labelSha256, classes, bytes };
}

/** Classes of a label, ascending, without background. */
function classesOf(label: Uint8Array, taxonomy: Taxonomy): number[] {
  const present = new Uint8Array(256);
  for (const value of label) present[value] = 1;
  const classes: number[] = [];
  for (let value = 1; value < IGNORE_INDEX; value++) {
    if (present[value] === 0) continue;
    if (value > taxonomy.classes.length)
      throw new PartloopError(
        'data-invalid',
        `its label has value ${value}; taxonomy ${taxonomy.name} ends at ${taxonomy.classes.length}`,
      );
    classes.push(value);
  }
  if (classes.length === 0 && present[BACKGROUND] === 0)
    throw new PartloopError('data-invalid', 'its label is ignored everywhere');
  return classes;
}

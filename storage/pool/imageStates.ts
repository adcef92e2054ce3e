import type { z } from 'zod';
import { PartloopError } from '../../domain/base/errors.js';
import { SPLITS } from '../../domain/draw/drawColumns.js';
import type { ImageState } from '../../domain/images/imageState.js';
import { indexRowSchema } from '../../domain/tables.js';
import { REGIONS } from '../../domain/tags.js';
import { streamFile } from '../tables/table.js';
import type { Cells } from '../tables/typedColumns.js';
import { NewestRows } from './newestRows.js';
import { readWanted, type Segments } from './wantedRows.js';

const SELECTION = ['imageId', 'split', 'region', 'labelRevision::DOUBLE', 'removedAt'] as const;
/** Columns that a segment of an earlier version may lack. */
const OPTIONAL = { region: 'VARCHAR', removedAt: 'VARCHAR' };

const rowSchema = indexRowSchema.pick({
  ...{ imageId: true, split: true, region: true, labelRevision: true, removedAt: true },
});
type StateRow = z.output<typeof rowSchema>;

/**
 * Read what a pool holds of some images. The ids become a table of the database, so that it passes over all other
 * images by itself.
 *
 * @param segments calls `read` with the file of each segment, in order
 * @returns the images that the pool has
 */
export async function readImageStates(
  imageIds: readonly string[],
  segments: Segments,
): Promise<Map<string, ImageState>> {
  const newest = new NewestRows<StateRow>();
  const add = (cells: Cells, row: number): boolean => {
    const state = stateAt(cells, row);
    if (state !== null) newest.add(state);
    return state !== null;
  };
  await readWanted(segments, { imageIds, selection: SELECTION, optional: OPTIONAL, add, refuse });
  return new Map(newest.images().map((row) => [row.imageId, row]));
}

/** null for a row that is not as the schema says. */
function stateAt({ cell }: Cells, row: number): StateRow | null {
  const [imageId, removedAt, labelRevision] = [cell(0, row), cell(4, row), cell(3, row)];
  const split = SPLITS.find((one) => one === cell(1, row));
  const region = cell(2, row) === null ? null : REGIONS.find((one) => one === cell(2, row));
  if (typeof imageId !== 'string' || (removedAt !== null && typeof removedAt !== 'string')) return null;
  if (split === undefined || region === undefined || !isRevision(labelRevision)) return null;
  return { imageId, split, region, labelRevision, removedAt };
}

const isRevision = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

/** Tell of the first row that is not as it should be, as every other reader of tables does. */
async function refuse(path: string, origin: string): Promise<never> {
  for await (const _ of streamFile(path, origin, rowSchema));
  throw new PartloopError('data-invalid', `${origin} has a row that tells no state of an image`);
}

import { PartloopError } from '../domain/base/errors.js';
import type { TrainedImage } from '../domain/sample/columns.js';
import { trainingRowSchema } from '../domain/tables.js';
import { TAG_NAMES, type Tags, tagsSchema } from '../domain/tags.js';
import type { ObjectStore } from '../storage/objects/objectStore.js';
import { isSha256 } from '../storage/pool/drawIndex.js';
import { columnType } from '../storage/tables/columns.js';
import { streamTable } from '../storage/tables/table.js';
import { type Cells, streamObjectCells } from '../storage/tables/typedColumns.js';

const IS_VALID = `coalesce(
  ${isSha256('imageId')} AND labelRevision BETWEEN 0 AND ${Number.MAX_SAFE_INTEGER}
  AND classes IS NOT NULL AND list_min(list_append(classes, 0)) = 0, false)`;
const TAGS_AS_JSON = `to_json(struct_pack(${TAG_NAMES.map((tag) => `${tag} := ${tag}`).join(', ')}))::VARCHAR`;
const SELECTION = [
  IS_VALID,
  'imageId',
  'labelRevision::DOUBLE',
  TAGS_AS_JSON,
  `array_to_string(classes, ' ')`,
] as const;
/** Columns that a table of an earlier version may lack. */
const OPTIONAL = Object.fromEntries(TAG_NAMES.map((tag) => [tag, columnType(tagsSchema.shape[tag], tag)]));

/** An image of a training set, with the revision of the label that it was picked with. */
export type PickedImage = TrainedImage & { labelRevision: number };

/**
 * The images of a training set in the order of their rows, without the columns that only training reads.
 *
 * @throws PartloopError `data-invalid` for a table that is no training set
 */
export async function* streamPicks(store: ObjectStore, key: string): AsyncGenerator<PickedImage> {
  const known = new Map<string, Tags | null>();
  for await (const cells of streamObjectCells(store, key, SELECTION, OPTIONAL))
    for (let row = 0; row < cells.rows; row++) yield imageOf(cells, row, known) ?? (await refuse(store, key));
}

/** @param known tags by their text, null for what are none: most images share theirs with others */
function imageOf({ cell }: Cells, row: number, known: Map<string, Tags | null>): PickedImage | null {
  const text = String(cell(3, row));
  const there = known.get(text);
  const tags = there === undefined ? (tagsSchema.safeParse(JSON.parse(text)).data ?? null) : there;
  if (there === undefined) known.set(text, tags);
  if (tags === null || cell(0, row) !== true) return null;
  const classes = String(cell(4, row));
  return {
    imageId: String(cell(1, row)),
    labelRevision: Number(cell(2, row)),
    ...tags,
    classes: classes === '' ? [] : classes.split(' ').map(Number),
  };
}

/** Tell of the first row that is not as it should be, as every other reader of tables does. */
async function refuse(store: ObjectStore, key: string): Promise<never> {
  for await (const _ of streamTable(store, key, trainingRowSchema));
  throw new PartloopError('data-invalid', `${key} has a row that no training set has`);
}

import { PartloopError } from '../../domain/base/errors.js';
import { type DrawColumns, newestOf, type RevisionColumns, SPLITS } from '../../domain/draw/drawColumns.js';
import { ID_WORDS, ImageIds } from '../../domain/draw/imageIds.js';
import { numberOf } from '../../domain/draw/nearDuplicates.js';
import { drawRowSchema } from '../../domain/tables.js';
import { REGIONS } from '../../domain/tags.js';
import { quoted } from '../tables/database.js';
import { streamFile } from '../tables/table.js';
import { type Cells, streamCells } from '../tables/typedColumns.js';

const HEX_WORD = 8;
const FIRST_CAPACITY = 1_024;

/** Eight hex digits from the `word`-th on, as a number. */
const wordOf = (column: string, word: number): string =>
  `TRY_CAST('0x' || substr(${column}, ${word * HEX_WORD + 1}, ${HEX_WORD}) AS UINTEGER)`;
/** The words of a sha256 in hex, as numbers. */
export const idWords = (column: string): string[] =>
  Array.from({ length: ID_WORDS }, (_, word) => wordOf(column, word));
/** Whether a column holds a sha256 in hex. */
export const isSha256 = (column: string): string => `regexp_full_match(${column}, '[0-9a-f]{64}')`;
const listOf = (values: readonly string[]): string => values.map(quoted).join(', ');

/** The rule of `drawRowSchema`, but for the name of the file, which is not read. */
const IS_VALID = `coalesce(
  ${isSha256('imageId')} AND regexp_full_match(perceptualHash, '[0-9a-f]{16}')
  AND split IN (${listOf(SPLITS)}) AND (region IS NULL OR region IN (${listOf(REGIONS)}))
  AND typeof(vehicleId) = 'VARCHAR' AND typeof(removedAt) = 'VARCHAR'
  AND labelRevision BETWEEN 0 AND ${Number.MAX_SAFE_INTEGER}, false)`;
const ID = 1;
const HASH = ID + ID_WORDS;
const [VEHICLE, SPLIT, INTERIOR, REVISION, REMOVED] = [HASH + 2, HASH + 3, HASH + 4, HASH + 5, HASH + 6];
const SELECTION = [
  IS_VALID,
  ...idWords('imageId'),
  ...[wordOf('perceptualHash', 0), wordOf('perceptualHash', 1)],
  'vehicleId',
  `CASE split ${SPLITS.map((split, number) => `WHEN ${quoted(split)} THEN ${number}`).join(' ')} END::INTEGER`,
  `coalesce(region = 'interior', false)`,
  'labelRevision::DOUBLE',
  'removedAt IS NOT NULL',
];
/** Columns that a segment of an earlier version may lack. */
const OPTIONAL = { region: 'VARCHAR', removedAt: 'VARCHAR' };

/** Reads the columns that a draw needs, segment by segment. */
export class DrawIndexReader {
  #count = 0;
  #capacity = 0;
  #columns = emptyColumns(0);
  readonly #vehicles = new Map<string, number>();

  /**
   * Add the rows of a segment on this disk, in the order of the segments; yields how many were read, some thousand at a
   * time.
   *
   * @throws PartloopError `data-invalid` for a file that is no table, and for a row that is not as `drawRowSchema` says
   */
  async *add(path: string, origin: string): AsyncGenerator<number> {
    for await (const cells of streamCells(path, origin, SELECTION, OPTIONAL)) {
      this.#reserve(this.#count + cells.rows);
      for (let row = 0; row < cells.rows; row++) {
        if (cells.cell(0, row) !== true) await refuse(path, origin);
        this.#put(this.#count++, cells, row);
      }
      yield cells.rows;
    }
  }

  /** The newest row of each image that was not removed. */
  newest(): DrawColumns {
    return newestOf({ ...resized(this.#columns, this.#count), vehicles: [...this.#vehicles.keys()] });
  }

  #put(at: number, { cell }: Cells, row: number): void {
    const { ids, high, low, vehicle, split, interior, labelRevision, removed } = this.#columns;
    for (let word = 0; word < ID_WORDS; word++) ids.words[at * ID_WORDS + word] = Number(cell(ID + word, row));
    high[at] = Number(cell(HASH, row));
    low[at] = Number(cell(HASH + 1, row));
    const vehicleId = cell(VEHICLE, row);
    vehicle[at] = numberOf(vehicleId === null ? null : String(vehicleId), this.#vehicles);
    split[at] = Number(cell(SPLIT, row));
    interior[at] = Number(cell(INTERIOR, row));
    labelRevision[at] = Number(cell(REVISION, row));
    removed[at] = Number(cell(REMOVED, row));
  }

  #reserve(count: number): void {
    if (count <= this.#capacity) return;
    this.#capacity = Math.max(FIRST_CAPACITY, count, Math.ceil(this.#capacity * 1.5));
    this.#columns = resized(this.#columns, this.#capacity);
  }
}

/** Tell of the first row that is not as it should be, as every other reader of tables does. */
async function refuse(path: string, origin: string): Promise<never> {
  for await (const _ of streamFile(path, origin, drawRowSchema));
  throw new PartloopError('data-invalid', `${origin} has a row that no draw can read`);
}

const emptyColumns = (count: number): RevisionColumns => ({
  ids: new ImageIds(new Uint32Array(count * ID_WORDS)),
  high: new Uint32Array(count),
  low: new Uint32Array(count),
  vehicle: new Int32Array(count),
  split: new Uint8Array(count),
  interior: new Uint8Array(count),
  labelRevision: new Float64Array(count),
  removed: new Uint8Array(count),
  vehicles: [],
});

/** The same columns with room for `count` rows; what does not fit is left out. */
function resized(columns: RevisionColumns, count: number): RevisionColumns {
  const room = emptyColumns(count);
  room.ids.words.set(columns.ids.words.subarray(0, count * ID_WORDS));
  room.high.set(columns.high.subarray(0, count));
  room.low.set(columns.low.subarray(0, count));
  room.vehicle.set(columns.vehicle.subarray(0, count));
  room.split.set(columns.split.subarray(0, count));
  room.interior.set(columns.interior.subarray(0, count));
  room.labelRevision.set(columns.labelRevision.subarray(0, count));
  room.removed.set(columns.removed.subarray(0, count));
  return room;
}

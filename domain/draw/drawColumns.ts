import type { DrawRow, IndexRow } from '../tables.js';
import { ImageIds } from './imageIds.js';
import { type HashedColumns, numberOf } from './nearDuplicates.js';
import { hashColumns, pickHashes } from './perceptualHash.js';

/** The sides of the split, by the number that a column has for them. */
export const SPLITS = ['train', 'val', 'test'] as const satisfies readonly IndexRow['split'][];

/**
 * What a draw needs of every image of a pool, by column: a large pool's rows would take a gigabyte. Each image is there
 * once, in order of its id.
 */
export interface DrawColumns extends HashedColumns {
  readonly ids: ImageIds;
  /** Numbers of `SPLITS`. */
  readonly split: Uint8Array;
  /** 1 for a picture of the inside of a car. */
  readonly interior: Uint8Array;
  readonly labelRevision: Float64Array;
  /** Vehicle ids by their number. */
  readonly vehicles: readonly string[];
}

/** What tells the rows of one image apart, by column. */
export interface RevisionKeys {
  readonly ids: ImageIds;
  readonly labelRevision: ArrayLike<number>;
  /** 1 for a row that says that the image was removed. */
  readonly removed: ArrayLike<number>;
}

/** What a draw needs of rows of a pool's index. */
export interface RevisionColumns extends DrawColumns, RevisionKeys {
  readonly labelRevision: Float64Array;
  readonly removed: Uint8Array;
}

/** The side of the split that an image is on. */
export const splitAt = ({ split }: DrawColumns, row: number): IndexRow['split'] =>
  SPLITS[split[row] as number] as IndexRow['split'];

/** Rows by column, in the order given. */
export function columnsOf(rows: readonly DrawRow[]): RevisionColumns {
  const known = new Map<string, number>();
  const vehicle = Int32Array.from(rows, ({ vehicleId }) => numberOf(vehicleId, known));
  return {
    ids: ImageIds.of(rows.map(({ imageId }) => imageId)),
    ...hashColumns(rows.map(({ perceptualHash }) => perceptualHash)),
    ...{ vehicle, vehicles: [...known.keys()] },
    split: Uint8Array.from(rows, ({ split }) => SPLITS.indexOf(split)),
    interior: Uint8Array.from(rows, ({ region }) => (region === 'interior' ? 1 : 0)),
    labelRevision: Float64Array.from(rows, ({ labelRevision }) => labelRevision),
    removed: Uint8Array.from(rows, ({ removedAt }) => (removedAt === null ? 0 : 1)),
  };
}

/** The newest row of each image that was not removed, in order of image id. */
export const newestOf = (columns: RevisionColumns): DrawColumns => pickRows(columns, newestRows(columns));

/**
 * Where these rows are: by ascending image id. Rows come in the order of their segments; of equal revisions the first
 * one counts.
 */
export function newestRows({ ids, labelRevision, removed }: RevisionKeys): Int32Array {
  const order = ids.order();
  let kept = 0;
  for (let at = 0; at < order.length; ) {
    let newest = order[at] as number;
    let next = at + 1;
    for (; next < order.length && ids.compare(order[at] as number, order[next] as number) === 0; next++) {
      const row = order[next] as number;
      if ((labelRevision[row] as number) > (labelRevision[newest] as number)) newest = row;
    }
    if (removed[newest] === 0) order[kept++] = newest;
    at = next;
  }
  return order.slice(0, kept);
}

/** Some rows of the columns, in the order given. */
export function pickRows(columns: DrawColumns, rows: Int32Array): DrawColumns {
  return {
    ids: columns.ids.pick(rows),
    ...pickHashes(columns, rows),
    vehicle: Int32Array.from(rows, (row) => columns.vehicle[row] as number),
    split: Uint8Array.from(rows, (row) => columns.split[row] as number),
    interior: Uint8Array.from(rows, (row) => columns.interior[row] as number),
    labelRevision: Float64Array.from(rows, (row) => columns.labelRevision[row] as number),
    vehicles: columns.vehicles,
  };
}

/** The ids of some rows. */
export function idsAt({ ids }: DrawColumns, rows: Int32Array): Set<string> {
  const found = new Set<string>();
  for (const row of rows) found.add(ids.at(row));
  return found;
}

/** Row numbers that a test holds for, ascending. */
export function rowsWhere({ ids }: DrawColumns, holds: (row: number) => boolean): Int32Array {
  const rows = new Int32Array(ids.count);
  let found = 0;
  for (let row = 0; row < rows.length; row++) if (holds(row)) rows[found++] = row;
  return rows.slice(0, found);
}

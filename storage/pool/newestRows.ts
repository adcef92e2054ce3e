import type { IndexRow } from '../../domain/tables.js';

/** Columns by which the rows of an image are told apart. */
export type Revision = Pick<IndexRow, 'imageId' | 'labelRevision' | 'removedAt'>;

/** The newest row of each image, of rows in the order of their segments; of equal revisions the first one counts. */
export class NewestRows<Row extends Revision> {
  private readonly newest = new Map<string, Row>();

  add(row: Row): void {
    const there = this.newest.get(row.imageId);
    if (there === undefined || row.labelRevision > there.labelRevision) this.newest.set(row.imageId, row);
  }

  /** Those of the images that the pool has, ordered by image id. */
  images(): Row[] {
    return [...this.newest.values()]
      .filter((row) => row.removedAt === null)
      .sort((a, b) => (a.imageId < b.imageId ? -1 : 1));
  }
}

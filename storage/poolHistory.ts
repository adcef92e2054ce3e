import type { IndexRow } from '../domain/tables.js';

/** Columns that tell the rows of an image apart. */
export type Revision = Pick<IndexRow, 'imageId' | 'labelRevision' | 'removedAt'>;

/** All rows of a pool's images: the newest row of each, and the rows that it replaced. */
export class PoolHistory<Row extends Revision = IndexRow> {
  private readonly newest = new Map<string, Row>();
  /** Only for images with more than one row: a pool of 750,000 has few. */
  private readonly replaced = new Map<string, Row[]>();

  /** Rows come in the order of their segments; if revisions are equal, the first one counts. */
  add(row: Row): void {
    const there = this.newest.get(row.imageId);
    if (there === undefined) {
      this.newest.set(row.imageId, row);
      return;
    }
    const isNewer = row.labelRevision > there.labelRevision;
    if (isNewer) this.newest.set(row.imageId, row);
    const older = this.replaced.get(row.imageId) ?? [];
    older.push(isNewer ? there : row);
    this.replaced.set(row.imageId, older);
  }

  /** The newest row of an image, even if it records the image's removal. */
  latest(imageId: string): Row | undefined {
    return this.newest.get(imageId);
  }

  /** All rows of an image by ascending revision; empty for an image that the pool never had. */
  revisions(imageId: string): Row[] {
    const latest = this.newest.get(imageId);
    if (latest === undefined) return [];
    return [...(this.replaced.get(imageId) ?? []), latest].sort((a, b) => a.labelRevision - b.labelRevision);
  }

  /** The newest rows of the images that were removed, in no order. */
  *removed(): Generator<Row> {
    for (const row of this.newest.values()) if (row.removedAt !== null) yield row;
  }

  /** Every row there is, in no order. */
  *rows(): Generator<Row> {
    yield* this.newest.values();
    for (const older of this.replaced.values()) yield* older;
  }

  /** The newest rows of the images that the pool has, ordered by image id. */
  images(): Row[] {
    return [...this.newest.values()]
      .filter((row) => row.removedAt === null)
      .sort((a, b) => (a.imageId < b.imageId ? -1 : 1));
  }
}

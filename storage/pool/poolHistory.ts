import type { IndexRow } from '../../domain/tables.js';
import { ImageTable } from '../packed/imageTable.js';
import { PackedRows } from '../packed/packedRows.js';

/** Everything a pool was ever told of its images: the newest row of each, and the rows that it replaced. */
export class PoolHistory {
  private readonly packed = new PackedRows();
  private readonly newest = new ImageTable((row) => this.packed.idWords(row));
  /** Only of images with more than one row: a pool of 750,000 has few. */
  private readonly replaced = new Map<string, number[]>();

  /** Rows come in the order of their segments; of equal revisions the first one counts. */
  add(row: IndexRow): void {
    const there = this.newest.get(row.imageId);
    const number = this.packed.push(row);
    if (there === undefined) {
      this.newest.set(number);
      return;
    }
    const isNewer = row.labelRevision > this.packed.labelRevision(there);
    if (isNewer) this.newest.set(number);
    const older = this.replaced.get(row.imageId) ?? [];
    older.push(isNewer ? there : number);
    this.replaced.set(row.imageId, older);
  }

  /** The newest row of an image, also where it says that the image was removed. */
  latest(imageId: string): IndexRow | undefined {
    const number = this.newest.get(imageId);
    return number === undefined ? undefined : this.packed.at(number);
  }

  /** All rows of an image by ascending revision; empty for an image that the pool never had. */
  revisions(imageId: string): IndexRow[] {
    const latest = this.newest.get(imageId);
    if (latest === undefined) return [];
    const numbers = [...(this.replaced.get(imageId) ?? []), latest];
    return numbers.map((number) => this.packed.at(number)).sort((a, b) => a.labelRevision - b.labelRevision);
  }

  /** The newest rows of the images that the pool has, in no order. */
  *present(): Generator<IndexRow> {
    for (const number of this.newest.rows()) if (!this.packed.isRemoved(number)) yield this.packed.at(number);
  }

  /** The newest rows of the images that were removed, in no order. */
  *removed(): Generator<IndexRow> {
    for (const number of this.newest.rows()) if (this.packed.isRemoved(number)) yield this.packed.at(number);
  }

  /** Every row there is, in no order. */
  *rows(): Generator<IndexRow> {
    for (let number = 0; number < this.packed.count; number++) yield this.packed.at(number);
  }

  /** The number of images that the pool has. */
  count(): number {
    let count = 0;
    for (const number of this.newest.rows()) if (!this.packed.isRemoved(number)) count++;
    return count;
  }

  /** The newest rows of the images that the pool has on one side of its split, in no order. */
  *ofSplit(split: IndexRow['split']): Generator<IndexRow> {
    for (const number of this.newest.rows())
      if (this.packed.split(number) === split && !this.packed.isRemoved(number)) yield this.packed.at(number);
  }

  /** When an image first came in, by its newest row. */
  cameInAt(row: Pick<IndexRow, 'imageId' | 'ingestedAt'>): string {
    if (!this.replaced.has(row.imageId)) return row.ingestedAt;
    return this.revisions(row.imageId)[0]?.ingestedAt ?? row.ingestedAt;
  }

  /**
   * The newest rows, ordered by image id, of the images that `isMeant` holds for, also of removed ones: other rows are
   * not unpacked.
   */
  named(isMeant: (image: { imageId: string; fileName: string }) => boolean): IndexRow[] {
    return [...this.newest.rows()]
      .filter((number) => isMeant(this.packed.nameOf(number)))
      .map((number) => this.packed.at(number))
      .sort(byId);
  }

  /** The newest rows of the images that the pool has, ordered by image id; those alone that `isMeant` holds for. */
  images(isMeant: (row: IndexRow) => boolean = () => true): IndexRow[] {
    const rows: IndexRow[] = [];
    for (const row of this.present()) if (isMeant(row)) rows.push(row);
    return rows.sort(byId);
  }
}

/** The order of image ids. */
export const byId = (a: IndexRow, b: IndexRow): number => (a.imageId < b.imageId ? -1 : a.imageId > b.imageId ? 1 : 0);

import { mostAlike, type Thumbnail } from '../../domain/draw/samePicture.js';
import { type LeftOut, leftOutBy } from '../../domain/images/leftOut.js';
import type { IndexRow } from '../../domain/tables.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { readImage } from '../../storage/pictures/imageSource.js';
import type { ImportDecoder } from '../import/decoder.js';

/** Thumbnails of images of a pool, from their bytes in the store. Those of test images are kept: 1 KB each. */
export class Thumbnails {
  /** Images that could not be read, by id: nothing is known to be a copy of them, or they of others. */
  readonly unreadable = new Map<string, LeftOut>();
  private readonly kept = new Map<string, Promise<Thumbnail | null>>();

  constructor(
    private readonly store: ObjectStore,
    private readonly decoder: Pick<ImportDecoder, 'picture'>,
  ) {}

  /**
   * @returns null for an image that is gone, changed or unreadable
   * @throws faults of the store
   */
  async read(row: IndexRow): Promise<Thumbnail | null> {
    try {
      return (await this.decoder.picture(await readImage(this.store, row), row.fileName)).thumbnail;
    } catch (error) {
      this.unreadable.set(row.imageId, leftOutBy(row, error));
      return null;
    }
  }

  /** The thumbnail of an image whose bytes are at hand. */
  know(imageId: string, thumbnail: Thumbnail): void {
    if (!this.kept.has(imageId)) this.kept.set(imageId, Promise.resolve(thumbnail));
  }

  /**
   * Of these test images the one that a picture shows too, saved again; undefined if none does.
   *
   * @throws faults of the store
   */
  async originalOf(picture: Thumbnail, suspects: readonly IndexRow[]): Promise<IndexRow | undefined> {
    const others: (Thumbnail | null)[] = [];
    for (const suspect of suspects) others.push(await this.readOnce(suspect));
    return suspects[mostAlike(picture, others)];
  }

  /** The thumbnail of a test image, read once for all who ask. */
  readOnce(row: IndexRow): Promise<Thumbnail | null> {
    const there = this.kept.get(row.imageId);
    if (there !== undefined) return there;
    const thumbnail = this.read(row);
    this.kept.set(row.imageId, thumbnail);
    // After a fault of the store the next one who asks tries again.
    thumbnail.catch(() => this.kept.delete(row.imageId));
    return thumbnail;
  }
}

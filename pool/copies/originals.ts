import { hashColumns, parseHash } from '../../domain/draw/perceptualHash.js';
import type { Thumbnail } from '../../domain/draw/samePicture.js';
import { SuspectIndex } from '../../domain/draw/suspects.js';
import type { IndexRow } from '../../domain/tables.js';
import type { Thumbnails } from './thumbnails.js';

/** The test images among which the original of a copy is looked for. */
export class Originals {
  private readonly hashes: SuspectIndex;

  constructor(
    private readonly test: readonly IndexRow[],
    private readonly thumbnails: Thumbnails,
  ) {
    this.hashes = new SuspectIndex(hashColumns(test.map(({ perceptualHash }) => perceptualHash)));
  }

  /**
   * The test image that a picture shows too, saved again; null if there is none. Of the test images only those with a
   * similar hash are read.
   *
   * @param thumbnail is asked for if there are such; null for a picture that could not be read, which is nobody's copy
   * @throws faults of the store
   */
  async of(perceptualHash: string, thumbnail: () => Promise<Thumbnail | null>): Promise<IndexRow | null> {
    const suspects = this.hashes.near(...parseHash(perceptualHash)).map((at) => this.test[at] as IndexRow);
    if (suspects.length === 0) return null;
    const picture = await thumbnail();
    return picture === null ? null : ((await this.thumbnails.originalOf(picture, suspects)) ?? null);
  }
}

import type { Pool } from '../storage/pool/pool.js';
import type { ShownImage, ShownImages } from '../storage/pool/shownImages.js';

/**
 * The images of a scan's findings, as one version of the pool has them. The first ones asked for are looked up alone,
 * so that a first page is there soon; meanwhile all are read.
 */
export class DeskImages {
  #all: ShownImages | null = null;
  #reading: Promise<ShownImages> | null = null;

  constructor(
    private readonly pool: Pool,
    private readonly version: number,
    private readonly imageIds: readonly string[],
  ) {}

  /** Some images; those that the pool no longer has are left out. */
  async of(imageIds: readonly string[]): Promise<ReadonlyMap<string, ShownImage>> {
    if (this.#all !== null) {
      const all = this.#all;
      return new Map(imageIds.flatMap((id) => all.of(id) ?? []).map((image) => [image.imageId, image]));
    }
    const rows = await this.pool.readImages(this.version, new Set(imageIds));
    // A fault shows again in what asks for all.
    this.all().catch(() => undefined);
    return new Map(rows.map((row) => [row.imageId, row]));
  }

  /** All images, read once. */
  all(): Promise<ShownImages> {
    this.#reading ??= this.pool.readShown(this.version, this.imageIds).then(
      (all) => {
        this.#all = all;
        return all;
      },
      (error: unknown) => {
        this.#reading = null;
        throw error;
      },
    );
    return this.#reading;
  }

  /** All images; null as long as they are not read. */
  get known(): ShownImages | null {
    return this.#all;
  }
}

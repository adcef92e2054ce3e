import { PartloopError } from '../../domain/base/errors.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { readImage, readLabel } from '../../storage/pictures/imageSource.js';
import { decodeLabel } from '../../storage/pictures/labelMask.js';
import { labelledPicture, type Plane } from './labelledPicture.js';
import { Predictor } from './predictions.js';
import { type WorstImages, worstOf } from './worst.js';

/** What lies over a picture. */
export const LAYERS = ['given', 'candidate', 'production'] as const;
export type Layer = (typeof LAYERS)[number];

/** Pages whose lists are kept for their pictures. */
const PAGES = 4;

/** The pages of worst test images, and their pictures. */
export class WorstDesk {
  readonly #pages = new Map<string, Promise<WorstImages>>();
  readonly #predictor: Predictor;

  constructor(
    private readonly store: ObjectStore,
    private readonly cacheFolder: string,
  ) {
    this.#predictor = new Predictor(store, cacheFolder);
  }

  /** The images of a page, read anew: an iteration may have been done again. */
  async open(loop: string, number: number): Promise<WorstImages> {
    const key = `${loop}:${number}`;
    const page = worstOf(this.store, { loop, number, cacheFolder: this.cacheFolder });
    this.#pages.delete(key);
    this.#pages.set(key, page);
    const [oldest] = this.#pages.keys();
    if (this.#pages.size > PAGES && oldest !== undefined) this.#pages.delete(oldest);
    try {
      return await page;
    } catch (error) {
      this.#pages.delete(key);
      throw error;
    }
  }

  /**
   * A picture of a page, WebP.
   *
   * @throws PartloopError `not-found` for an image that the page does not show, `data-invalid` if the model cannot
   * judge it
   */
  async picture(loop: string, number: number, { imageId, layer }: { imageId: string; layer: Layer }): Promise<Buffer> {
    const page = await (this.#pages.get(`${loop}:${number}`) ?? this.open(loop, number));
    const row = page.images.find((one) => one.row.imageId === imageId)?.row;
    const model = layer === 'given' ? null : page[layer];
    if (row === undefined || (layer !== 'given' && model === null))
      throw new PartloopError('not-found', `the page of iteration ${number} of loop \`${loop}\` has no such picture`);
    const label = model === null ? await decodeLabel(await readLabel(this.store, row), row.fileName) : null;
    return labelledPicture(await readImage(this.store, row), label ?? (await this.#predicted(page, layer, imageId)));
  }

  async #predicted(page: WorstImages, layer: Layer, imageId: string): Promise<Plane> {
    const model = layer === 'given' ? null : page[layer];
    const rows = page.images.map(({ row }) => row);
    const found = model === null ? null : (await this.#predictor.of(model, page.taxonomy, rows)).get(imageId);
    if (found != null) return found;
    throw new PartloopError('data-invalid', 'the model cannot judge this image');
  }
}

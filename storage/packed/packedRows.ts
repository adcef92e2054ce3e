import { ID_WORDS, ImageIds, wordsOf } from '../../domain/draw/imageIds.js';
import type { IndexRow } from '../../domain/tables.js';
import { TAG_NAMES, type Tags } from '../../domain/tags.js';
import { GrowingNumbers, GrowingTexts } from './growing.js';

/** Stands for the digest in an address that is made of it. */
const DIGEST = '\u0001';

/** Places of two of the texts that a row has of its own. */
const [NUMBERS, FILE_NAME] = [0, 1];

type Digests = 'imageId' | 'labelSha256';
/** Beside the digests, what differs from image to image. */
type Own = 'fileName' | 'imageEtag' | 'imageVersion' | 'vehicleId' | 'perceptualHash' | 'ingestedAt' | 'classes';
/** Of an address that holds its digest, what is around it; null for any other. */
type Address = 'imageUri' | 'labelUri';
/** The rest is the same for many images, and kept once. */
type Common = Omit<IndexRow, Digests | Own | Address | 'width' | 'height'> & Record<Address, string | null>;

/**
 * Whole rows of an index in about a quarter of a kilobyte each, in the order in which they came: a large pool's rows as
 * objects would take a gigabyte. A row comes out equal to what went in, as a new object.
 */
export class PackedRows {
  readonly #imageIds = new GrowingNumbers();
  readonly #labels = new GrowingNumbers();
  readonly #common = new GrowingNumbers();
  readonly #texts = new GrowingTexts();
  readonly #commons: Common[] = [];
  readonly #numbers = new Map<string, number>();

  get count(): number {
    return this.#common.length;
  }

  /** @returns the number of the row */
  push(row: IndexRow): number {
    const { imageId, labelSha256, width, height, imageUri, labelUri } = row;
    const { fileName, imageEtag, imageVersion, vehicleId, perceptualHash, ingestedAt, classes } = row;
    for (const word of wordsOf(imageId)) this.#imageIds.push(word);
    for (const word of wordsOf(labelSha256)) this.#labels.push(word);
    const image = templateOf(imageUri, imageId);
    const label = templateOf(labelUri, labelSha256);
    this.#texts.push(
      JSON.stringify([
        [width, height, ...classes].join(' '),
        ...[fileName, perceptualHash, ingestedAt, vehicleId, imageEtag, imageVersion],
        ...[image === null ? imageUri : null, label === null ? labelUri : null],
      ]),
    );
    this.#common.push(this.#numberOf(row, image, label));
    return this.count - 1;
  }

  /** A row, with its columns in the order of the schema. */
  at(number: number): IndexRow {
    const common = this.#commons[this.#common.at(number)] as Common;
    const { tagOrigins, source, split, labelRevision, change, changeId, removedAt } = common;
    const { angle, vehicle, damage, black, reflection, zoomed, orientation, region } = common;
    const tags = { angle, vehicle, damage, black, reflection, zoomed, orientation, region } satisfies Tags;
    const imageId = idOf(this.#imageIds, number);
    const labelSha256 = idOf(this.#labels, number);
    const texts = textsOf(this.#texts.at(number));
    const [width = 0, height = 0, ...classes] = (texts[NUMBERS] ?? '').split(' ').map(Number);
    const [, , perceptualHash, ingestedAt, vehicleId, imageEtag, imageVersion, imageUri, labelUri] = texts;
    return {
      imageId,
      fileName: texts[FILE_NAME] ?? '',
      imageUri: addressOf(common.imageUri, imageId) ?? imageUri ?? '',
      imageEtag: imageEtag ?? null,
      imageVersion: imageVersion ?? null,
      labelUri: addressOf(common.labelUri, labelSha256) ?? labelUri ?? '',
      labelSha256,
      width,
      height,
      ...tags,
      tagOrigins,
      vehicleId: vehicleId ?? null,
      source,
      split,
      perceptualHash: perceptualHash ?? '',
      classes,
      labelRevision,
      ingestedAt: ingestedAt ?? '',
      change,
      changeId,
      removedAt,
    };
  }

  /** By what people name the image of a row: much cheaper than the row. */
  nameOf(number: number): { imageId: string; fileName: string } {
    return { imageId: idOf(this.#imageIds, number), fileName: textsOf(this.#texts.at(number))[FILE_NAME] ?? '' };
  }

  split(number: number): IndexRow['split'] {
    return (this.#commons[this.#common.at(number)] as Common).split;
  }

  /** The words of the id of the image of a row. */
  idWords(number: number): Uint32Array {
    return this.#imageIds.view(number * ID_WORDS, ID_WORDS);
  }

  labelRevision(number: number): number {
    return (this.#commons[this.#common.at(number)] as Common).labelRevision;
  }

  isRemoved(number: number): boolean {
    return (this.#commons[this.#common.at(number)] as Common).removedAt !== null;
  }

  /** The number of what a row has in common with others. */
  #numberOf(row: IndexRow, imageUri: string | null, labelUri: string | null): number {
    const { tagOrigins, source, split, labelRevision, change, changeId, removedAt } = row;
    const { angle, vehicle, damage, black, reflection, zoomed, orientation, region } = row;
    const tags = { angle, vehicle, damage, black, reflection, zoomed, orientation, region } satisfies Tags;
    const told = [tagOrigins, source, split, labelRevision, change, changeId, removedAt, imageUri, labelUri];
    const key = JSON.stringify([...told, ...TAG_NAMES.map((name) => tags[name])]);
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    this.#numbers.set(key, this.#commons.length);
    const common = { tagOrigins, source, split, labelRevision, change, changeId, removedAt, imageUri, labelUri };
    this.#commons.push({ ...tags, ...common });
    return this.#commons.length - 1;
  }
}

const addressOf = (template: string | null, digest: string): string | null =>
  template === null ? null : template.replace(DIGEST, () => digest);

/** An address with a mark in place of its digest; null for one without it. */
const templateOf = (uri: string, digest: string): string | null =>
  uri.includes(digest) && !uri.includes(DIGEST) ? uri.replace(digest, DIGEST) : null;

const idOf = (words: GrowingNumbers, number: number): string =>
  new ImageIds(words.view(number * ID_WORDS, ID_WORDS)).at(0);

function textsOf(json: string): (string | null)[] {
  const values: unknown = JSON.parse(json);
  return Array.isArray(values) ? values.map((value) => (typeof value === 'string' ? value : null)) : [];
}

import { open } from 'node:fs/promises';
import { PartloopError } from '../domain/base/errors.js';
import { resizeNearest } from '../domain/geometry/resize.js';
import type { IndexRow } from '../domain/tables.js';
import { keys } from '../storage/keys.js';
import type { ObjectStore } from '../storage/objects/objectStore.js';
import { readImage, readLabel } from '../storage/pictures/imageSource.js';
import { decodeLabel, encodeLabel, type LabelMask } from '../storage/pictures/labelMask.js';
import { type OpenPicture, openPicture, readToTheEnd, scaled } from '../storage/pictures/picture.js';
import { isPng } from '../storage/pictures/pngGuard.js';
import { decodeLabelOf, undecodable } from './decode.js';
import { contentSize } from './letterbox.js';
import { HEAD_BYTES, isNormalForm, PNG_MARK, strippedJpeg } from './normalForm.js';

const JPEG_QUALITY = 95;

/**
 * Whether an image is worth a smaller copy in the store; others are converted to the normal form wherever they are
 * read.
 */
export function hasDerivative(row: Pick<IndexRow, 'width' | 'height'>, maxSide: number): boolean {
  return Math.max(row.width, row.height) > maxSide;
}

/** The parts of a training image that the store has, and the parts still to make. */
export interface CopyRequest {
  row: Pick<IndexRow, 'fileName' | 'width' | 'height'>;
  maxSide: number;
  /** Highest label value apart from 255. */
  classes: number;
  /** Each as imported, or its existing copy. */
  image: { bytes: Uint8Array; isCopy: boolean };
  label: { bytes: Uint8Array; isCopy: boolean };
}

/** A picture and its label in the form that training reads. */
export interface Copies {
  image: Uint8Array;
  label: Uint8Array;
}

/** Makes the copies of one image by `makeCopies`, in this process or in another. */
export type CopyMaker = (request: CopyRequest) => Promise<Copies>;

/**
 * Copies of an image and its label in normal form, at most `maxSide` pixels long, as training reads them. They come
 * from the store, where copies are kept under the digests of their sources. The first reader makes them; small images
 * have none. JPEG stays JPEG (quality 95, full colour resolution), everything else becomes PNG. A small JPEG whose
 * pixels are in normal form keeps them. `make` decodes the sources of missing copies.
 */
export async function readDerivative(
  store: ObjectStore,
  pool: string,
  row: IndexRow,
  { maxSide, classes, make = makeCopies }: { maxSide: number; classes: number; make?: CopyMaker },
): Promise<Copies> {
  const { fileName, width, height } = row;
  const request = { row: { fileName, width, height }, maxSide, classes };
  if (!hasDerivative(row, maxSide)) {
    const [image, label] = await Promise.all([readImage(store, row), readLabel(store, row)]);
    // A small label is already stored in the form that training reads.
    return make({ ...request, image: { bytes: image, isCopy: false }, label: { bytes: label, isCopy: true } });
  }
  const imageKey = keys.derivativeImage(pool, maxSide, row.imageId);
  const labelKey = keys.derivativeLabel(pool, maxSide, row.labelSha256);
  const [image, label] = await Promise.all([
    store.tryGet(imageKey).then(async (found) => {
      if (found !== null && isNormalForm(found.body.subarray(0, HEAD_BYTES)))
        return { bytes: found.body, isCopy: true };
      return { bytes: await readImage(store, row), isCopy: false };
    }),
    store.tryGet(labelKey).then(async (found) => {
      if (found !== null) return { bytes: found.body, isCopy: true };
      return { bytes: await readLabel(store, row), isCopy: false };
    }),
  ]);
  try {
    return await keep({ image, label });
  } catch (error) {
    // An unreadable copy counts as absent: its source may be whole.
    const isDamaged = error instanceof PartloopError && error.code === 'data-invalid';
    if (!isDamaged || !(image.isCopy || label.isCopy)) throw error;
    const [imageBytes, labelBytes] = await Promise.all([readImage(store, row), readLabel(store, row)]);
    return keep({ image: { bytes: imageBytes, isCopy: false }, label: { bytes: labelBytes, isCopy: false } });
  }

  async function keep(sources: Pick<CopyRequest, 'image' | 'label'>): Promise<Copies> {
    const made = await make({ ...request, ...sources });
    await Promise.all([
      sources.image.isCopy ? undefined : store.put(imageKey, made.image, contentType(made.image)),
      sources.label.isCopy ? undefined : store.put(labelKey, made.label, 'image/png'),
    ]);
    return made;
  }
}

/**
 * Make the missing copies, and check both for the trainer: the label must have the picture's size and known classes. To
 * make a copy, the whole picture is decoded.
 *
 * @throws PartloopError `data-invalid` naming the file
 */
export async function makeCopies({ row, maxSide, classes, image, label }: CopyRequest): Promise<Copies> {
  const name = row.fileName;
  const [imageCopy, labelCopy] = await Promise.all([
    image.isCopy ? image.bytes : copyOf(image.bytes, row, maxSide),
    label.isCopy ? label.bytes : labelCopyOf(await decodeLabel(label.bytes, `label of ${name}`), maxSide),
  ]);
  const { width, height } = await openPicture(imageCopy).catch((cause: unknown) => {
    throw undecodable(name, cause);
  });
  await decodeLabelOf(labelCopy, { width, height, classes }, name);
  return { image: imageCopy, label: labelCopy };
}

/** Whether a file on this disk is a copy of `readDerivative`'s present form; false if there is no file. */
export async function isCopyFile(path: string): Promise<boolean> {
  const file = await open(path).catch(() => null);
  if (file === null) return false;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return isNormalForm(buffer.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}

/** Write the copies of an image that the scan has in memory; does nothing if they exist or the image is small. */
export async function writeDerivative(
  store: ObjectStore,
  pool: string,
  row: IndexRow,
  maxSide: number,
  image: Uint8Array,
  label: LabelMask,
): Promise<void> {
  if (!hasDerivative(row, maxSide)) return;
  const imageKey = keys.derivativeImage(pool, maxSide, row.imageId);
  const labelKey = keys.derivativeLabel(pool, maxSide, row.labelSha256);
  const [imageThere, labelThere] = await Promise.all([store.head(imageKey), store.head(labelKey)]);
  await Promise.all([
    imageThere ?? putImage(store, imageKey, image, row, maxSide),
    labelThere ?? putLabel(store, labelKey, label, maxSide),
  ]);
}

async function putImage(
  store: ObjectStore,
  key: string,
  source: Uint8Array,
  row: IndexRow,
  maxSide: number,
): Promise<void> {
  const copy = await copyOf(source, row, maxSide);
  await store.put(key, copy, contentType(copy));
}

const contentType = (copy: Uint8Array): string => (isPng(copy) ? 'image/png' : 'image/jpeg');

async function copyOf(bytes: Uint8Array, row: CopyRequest['row'], maxSide: number): Promise<Uint8Array> {
  try {
    const picture = await openPicture(bytes);
    if (hasDerivative(row, maxSide)) return await encoded(picture, contentSize(row.width, row.height, maxSide));
    const kept = picture.kind === 'jpeg' && picture.plain ? await flawless(strippedJpeg(bytes)) : null;
    return kept ?? (await encoded(picture, row));
  } catch (cause) {
    throw undecodable(row.fileName, cause);
  }
}

/** A JPEG that decodes without any warning, otherwise null: after a warning, decoders give different pixels. */
async function flawless(jpeg: Uint8Array | null): Promise<Uint8Array | null> {
  if (jpeg === null) return null;
  return openPicture(jpeg, 'warning')
    .then(readToTheEnd)
    .then(
      () => jpeg,
      () => null,
    );
}

async function encoded({ pixels, kind }: OpenPicture, size: { width: number; height: number }): Promise<Uint8Array> {
  const copy = scaled(pixels, size);
  if (kind === 'jpeg') return copy.jpeg({ quality: JPEG_QUALITY, chromaSubsampling: '4:4:4' }).toBuffer();
  return copy
    .withExif({ IFD0: { Software: PNG_MARK } })
    .png()
    .toBuffer();
}

async function putLabel(store: ObjectStore, key: string, label: LabelMask, maxSide: number): Promise<void> {
  await store.put(key, await labelCopyOf(label, maxSide), 'image/png');
}

function labelCopyOf(label: LabelMask, maxSide: number): Promise<Buffer> {
  const { width, height } = contentSize(label.width, label.height, maxSide);
  return encodeLabel(resizeNearest(label.pixels, label.width, label.height, width, height), width, height);
}

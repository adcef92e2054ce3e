import { open } from 'node:fs/promises';
import { resizeNearest } from '../domain/geometry/resize.js';
import type { IndexRow } from '../domain/tables.js';
import { readImage, readLabel } from '../storage/imageSource.js';
import { keys } from '../storage/keys.js';
import { decodeLabel, encodeLabel, type LabelMask } from '../storage/labelMask.js';
import type { ObjectStore } from '../storage/objectStore.js';
import { type OpenPicture, openPicture, readToTheEnd, scaled } from '../storage/picture.js';
import { undecodable } from './decode.js';
import { contentSize } from './letterbox.js';
import { HEAD_BYTES, isNormalForm, PNG_MARK, strippedJpeg } from './normalForm.js';

const JPEG_QUALITY = 95;

/** Longest side of the copies that training reads: room for crops at the largest training size. */
export function derivativeSide(imageSize: number): number {
  return Math.ceil(1.25 * imageSize);
}

/** Whether an image is worth a smaller copy in the store; others are brought into the normal form wherever they are read. */
export function hasDerivative(row: IndexRow, maxSide: number): boolean {
  return Math.max(row.width, row.height) > maxSide;
}

/**
 * Copies of an image and its label in normal form, at most `maxSide` pixels long, as training reads them: from the store, where
 * copies lie under the digests of their sources, made once, whoever asks first; images that are small enough have none.
 * JPEG stays JPEG (quality 95, full colour resolution), everything else becomes PNG. A small JPEG whose pixels are in normal form
 * keeps them.
 */
export async function readDerivative(
  store: ObjectStore,
  pool: string,
  row: IndexRow,
  maxSide: number,
): Promise<{ image: Uint8Array; label: Uint8Array }> {
  if (!hasDerivative(row, maxSide)) {
    const [image, label] = await Promise.all([readImage(store, row), readLabel(store, row)]);
    return { image: (await copyOf(image, row, maxSide)).bytes, label };
  }
  const imageKey = keys.derivativeImage(pool, maxSide, row.imageId);
  const labelKey = keys.derivativeLabel(pool, maxSide, row.labelSha256);
  const [image, label] = await Promise.all([
    store.tryGet(imageKey).then(async (found) => {
      if (found !== null && isNormalForm(found.body.subarray(0, HEAD_BYTES))) return found.body;
      return putImage(store, imageKey, await readImage(store, row), row, maxSide);
    }),
    store.tryGet(labelKey).then(async (found) => {
      if (found !== null) return found.body;
      return putLabel(store, labelKey, await decodeLabel(await readLabel(store, row), labelName(row)), maxSide);
    }),
  ]);
  return { image, label };
}

/** Whether a file on this disk is a copy as `readDerivative` makes them now; false for what is not there. */
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

/** Write the copies of an image that the scan holds already; does nothing where they are there or the image is small enough. */
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

const labelName = (row: IndexRow): string => `label of ${row.fileName}`;

async function putImage(
  store: ObjectStore,
  key: string,
  source: Uint8Array,
  row: IndexRow,
  maxSide: number,
): Promise<Uint8Array> {
  const { bytes, format } = await copyOf(source, row, maxSide);
  await store.put(key, bytes, `image/${format}`);
  return bytes;
}

interface Copy {
  bytes: Uint8Array;
  format: 'jpeg' | 'png';
}

async function copyOf(bytes: Uint8Array, row: IndexRow, maxSide: number): Promise<Copy> {
  try {
    const picture = await openPicture(bytes);
    if (hasDerivative(row, maxSide)) return await encoded(picture, contentSize(row.width, row.height, maxSide));
    const kept = picture.kind === 'jpeg' && picture.plain ? await flawless(strippedJpeg(bytes)) : null;
    return kept === null ? await encoded(picture, row) : { bytes: kept, format: 'jpeg' };
  } catch (cause) {
    throw undecodable(row.fileName, cause);
  }
}

/** A JPEG that decodes without any complaint, else null: of the pixels behind a complaint decoders make what they like. */
async function flawless(jpeg: Uint8Array | null): Promise<Uint8Array | null> {
  if (jpeg === null) return null;
  return openPicture(jpeg, 'warning')
    .then(readToTheEnd)
    .then(
      () => jpeg,
      () => null,
    );
}

async function encoded({ pixels, kind }: OpenPicture, size: { width: number; height: number }): Promise<Copy> {
  const copy = scaled(pixels, size);
  if (kind === 'jpeg')
    return { bytes: await copy.jpeg({ quality: JPEG_QUALITY, chromaSubsampling: '4:4:4' }).toBuffer(), format: 'jpeg' };
  return {
    bytes: await copy
      .withExif({ IFD0: { Software: PNG_MARK } })
      .png()
      .toBuffer(),
    format: 'png',
  };
}

async function putLabel(store: ObjectStore, key: string, label: LabelMask, maxSide: number): Promise<Uint8Array> {
  const { width, height } = contentSize(label.width, label.height, maxSide);
  const bytes = await encodeLabel(resizeNearest(label.pixels, label.width, label.height, width, height), width, height);
  await store.put(key, bytes, 'image/png');
  return bytes;
}

import sharp from 'sharp';
import { resizeNearest } from '../domain/geometry/resize.js';
import type { IndexRow } from '../domain/tables.js';
import { readImage, readLabel } from '../storage/imageSource.js';
import { keys } from '../storage/keys.js';
import { decodeLabel, encodeLabel, type LabelMask } from '../storage/labelMask.js';
import type { ObjectStore } from '../storage/objectStore.js';
import { MAX_PIXELS, undecodable } from './decode.js';
import { contentSize } from './letterbox.js';

const JPEG_QUALITY = 95;

/** Longest side of the copies that training reads: room for crops at the largest training size. */
export function derivativeSide(imageSize: number): number {
  return Math.ceil(1.25 * imageSize);
}

/** Whether an image is worth a smaller copy in the store; training takes others as they are. */
export function hasDerivative(row: IndexRow, maxSide: number): boolean {
  return Math.max(row.width, row.height) > maxSide;
}

/**
 * Upright copies of an image and its label, at most `maxSide` pixels long, as training reads them: from the store, where
 * copies lie under the digests of their sources, made once, whoever asks first; images that are small enough have none
 * and are only turned upright. JPEG stays JPEG (quality 95, full colour resolution), everything else becomes PNG.
 */
export async function readDerivative(
  store: ObjectStore,
  pool: string,
  row: IndexRow,
  maxSide: number,
): Promise<{ image: Uint8Array; label: Uint8Array }> {
  if (!hasDerivative(row, maxSide)) {
    const [image, label] = await Promise.all([readImage(store, row), readLabel(store, row)]);
    return { image: (await reducedImage(image, row, maxSide)).bytes, label };
  }
  const imageKey = keys.derivativeImage(pool, maxSide, row.imageId);
  const labelKey = keys.derivativeLabel(pool, maxSide, row.labelSha256);
  const [image, label] = await Promise.all([
    store.tryGet(imageKey).then(async (found) => {
      if (found !== null) return found.body;
      return putImage(store, imageKey, await readImage(store, row), row, maxSide);
    }),
    store.tryGet(labelKey).then(async (found) => {
      if (found !== null) return found.body;
      return putLabel(store, labelKey, await decodeLabel(await readLabel(store, row), labelName(row)), maxSide);
    }),
  ]);
  return { image, label };
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
  const { bytes, format } = await reducedImage(source, row, maxSide);
  await store.put(key, bytes, `image/${format}`);
  return bytes;
}

/** The bytes themselves where they are upright and small enough. */
async function reducedImage(
  bytes: Uint8Array,
  row: IndexRow,
  maxSide: number,
): Promise<{ bytes: Uint8Array; format: 'jpeg' | 'png' }> {
  try {
    const source = sharp(bytes, { limitInputPixels: MAX_PIXELS, failOn: 'error' });
    const { format, orientation = 1, width, height } = await source.metadata();
    if (Math.max(width, height) <= maxSide && orientation === 1 && (format === 'jpeg' || format === 'png'))
      return { bytes, format };
    const size = Math.max(row.width, row.height) <= maxSide ? row : contentSize(row.width, row.height, maxSide);
    const reduced = source
      .autoOrient()
      .resize(size.width, size.height, { fit: 'fill', kernel: 'linear', fastShrinkOnLoad: false });
    const jpeg = format === 'jpeg';
    const encoded = jpeg ? reduced.jpeg({ quality: JPEG_QUALITY, chromaSubsampling: '4:4:4' }) : reduced.png();
    return { bytes: await encoded.toBuffer(), format: jpeg ? 'jpeg' : 'png' };
  } catch (cause) {
    throw undecodable(row.fileName, cause);
  }
}

async function putLabel(store: ObjectStore, key: string, label: LabelMask, maxSide: number): Promise<Uint8Array> {
  const { width, height } = contentSize(label.width, label.height, maxSide);
  const bytes = await encodeLabel(resizeNearest(label.pixels, label.width, label.height, width, height), width, height);
  await store.put(key, bytes, 'image/png');
  return bytes;
}

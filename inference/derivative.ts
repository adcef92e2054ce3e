import sharp from 'sharp';
import { resizeNearest } from '../domain/geometry/resize.js';
import type { IndexRow } from '../domain/tables.js';
import { readImage, readLabel } from '../storage/imageSource.js';
import { keys } from '../storage/keys.js';
import { decodeLabel, encodeLabel } from '../storage/labelMask.js';
import type { ObjectStore } from '../storage/objectStore.js';
import { contentSize } from './letterbox.js';

const JPEG_QUALITY = 95;

/** Longest side of the copies that training reads: room for crops at the largest training size. */
export function derivativeSide(imageSize: number): number {
  return Math.ceil(1.25 * imageSize);
}

/**
 * Upright copies of an image and its label, at most `maxSide` pixels long, under the digests of their sources: made
 * once, whoever asks first. JPEG stays JPEG (quality 95, full colour resolution), everything else becomes PNG.
 */
export async function ensureDerivative(
  store: ObjectStore,
  pool: string,
  row: IndexRow,
  maxSide: number,
): Promise<{ imageKey: string; labelKey: string }> {
  const imageKey = keys.derivativeImage(pool, maxSide, row.imageId);
  const labelKey = keys.derivativeLabel(pool, maxSide, row.labelSha256);
  const [image, label] = await Promise.all([store.head(imageKey), store.head(labelKey)]);
  await Promise.all([
    image ?? readImage(store, row).then((bytes) => writeImage(store, imageKey, bytes, row, maxSide)),
    label ?? readLabel(store, row).then((bytes) => writeLabel(store, labelKey, bytes, row, maxSide)),
  ]);
  return { imageKey, labelKey };
}

/** The same from bytes that the scan holds already. */
export async function writeDerivative(
  store: ObjectStore,
  pool: string,
  row: IndexRow,
  maxSide: number,
  image: Uint8Array,
  label: Uint8Array,
): Promise<void> {
  const imageKey = keys.derivativeImage(pool, maxSide, row.imageId);
  const labelKey = keys.derivativeLabel(pool, maxSide, row.labelSha256);
  const [imageThere, labelThere] = await Promise.all([store.head(imageKey), store.head(labelKey)]);
  await Promise.all([
    imageThere ?? writeImage(store, imageKey, image, row, maxSide),
    labelThere ?? writeLabel(store, labelKey, label, row, maxSide),
  ]);
}

async function writeImage(
  store: ObjectStore,
  key: string,
  bytes: Uint8Array,
  row: IndexRow,
  maxSide: number,
): Promise<void> {
  const source = sharp(bytes, { failOn: 'error' });
  const { format, orientation = 1, width, height } = await source.metadata();
  if (Math.max(width, height) <= maxSide && orientation === 1 && (format === 'jpeg' || format === 'png')) {
    await store.put(key, bytes, `image/${format}`);
    return;
  }
  const size = Math.max(row.width, row.height) <= maxSide ? row : contentSize(row.width, row.height, maxSide);
  const reduced = source
    .autoOrient()
    .resize(size.width, size.height, { fit: 'fill', kernel: 'linear', fastShrinkOnLoad: false });
  const jpeg = format === 'jpeg';
  const encoded = jpeg ? reduced.jpeg({ quality: JPEG_QUALITY, chromaSubsampling: '4:4:4' }) : reduced.png();
  await store.put(key, await encoded.toBuffer(), jpeg ? 'image/jpeg' : 'image/png');
}

async function writeLabel(
  store: ObjectStore,
  key: string,
  bytes: Uint8Array,
  row: IndexRow,
  maxSide: number,
): Promise<void> {
  const label = await decodeLabel(bytes, `label of ${row.fileName}`);
  const size = Math.max(label.width, label.height) <= maxSide ? label : contentSize(label.width, label.height, maxSide);
  await store.put(
    key,
    await encodeLabel(
      resizeNearest(label.pixels, label.width, label.height, size.width, size.height),
      size.width,
      size.height,
    ),
    'image/png',
  );
}

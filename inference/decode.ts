import { PartloopError } from '../domain/base/errors.js';
import { enlargeBilinear, resizeNearest } from '../domain/geometry/resize.js';
import type { IndexRow } from '../domain/tables.js';
import { IGNORE_INDEX } from '../domain/taxonomy.js';
import { decodeLabel, type LabelMask } from '../storage/pictures/labelMask.js';
import { openPicture, pixelsOf, reasonOf, scaled } from '../storage/pictures/picture.js';
import { contentSize, padLabel } from './letterbox.js';
import type { Watchdog } from './watchdog.js';

/**
 * One picture as the network sees it, without padding: `rgb` [height, width, 3]; its longer side is that of the canvas.
 */
export interface NetworkImage {
  rgb: Uint8Array;
  width: number;
  height: number;
}

/**
 * Decode into the normal form (`storage/pictures/picture.ts`), scale the longest side to `size` by bilinear filtering
 * with antialiasing.
 *
 * @throws PartloopError `data-invalid` naming `name`
 */
export async function decodeForNetwork(bytes: Uint8Array, size: number, name: string): Promise<NetworkImage> {
  try {
    const { pixels, width, height } = await openPicture(bytes);
    const content = contentSize(width, height, size);
    if (content.width > width || content.height > height) {
      // libvips enlarges by another rule than the trainer.
      const own = await pixelsOf(pixels, { width, height });
      const rgb = enlargeBilinear(own, width, height, content.width, content.height);
      return { rgb, ...content };
    }
    const rgb = await pixelsOf(scaled(pixels, content), content);
    return { rgb, ...content };
  } catch (cause) {
    throw undecodable(name, cause);
  }
}

/** The error for a picture that cannot be read. */
export function undecodable(name: string, cause: unknown): PartloopError {
  return new PartloopError('data-invalid', `${name} cannot be decoded: ${reasonOf(cause)}`, { cause });
}

/**
 * A label at its own size, which must be the picture's. Its only values are 0 to `classes` and 255.
 *
 * @throws PartloopError `data-invalid` naming `name`
 */
export async function decodeLabelOf(
  bytes: Uint8Array,
  { width, height, classes }: { width: number; height: number; classes: number },
  name: string,
): Promise<LabelMask> {
  const label = await decodeLabel(bytes, `label of ${name}`);
  if (label.width !== width || label.height !== height) {
    throw new PartloopError(
      'data-invalid',
      `label of ${name} is ${label.width}×${label.height}, the picture ${width}×${height}`,
    );
  }
  const { pixels } = label;
  // By index: an iterator over the label of every image takes a hundredth of the scan's time.
  for (let pixel = 0; pixel < pixels.length; pixel++) {
    const value = pixels[pixel] as number;
    // A look-up outside the network's answer would end the session's run, and with it the whole shard.
    if (value > classes && value !== IGNORE_INDEX)
      throw new PartloopError('data-invalid', `label of ${name} has value ${value}; the taxonomy ends at ${classes}`);
  }
  return label;
}

/** The bytes of an image and of its label, as read from the store, and their facts in the index. */
export interface PictureBytes {
  row: Pick<IndexRow, 'fileName' | 'width' | 'height'>;
  image: Uint8Array;
  label: Uint8Array;
}

/**
 * A picture for a network with a canvas of `size`, and its label, checked against each other: their sizes agree and are
 * the imported ones. `classes`: the highest label value apart from 255.
 *
 * @throws PartloopError `data-invalid` naming the file; `inference-stalled` if a decoder gives no answer
 */
export async function decodePictureAndLabel(
  { row: { fileName, width, height }, image, label: labelBytes }: PictureBytes,
  { size, classes, watchdog }: { size: number; classes: number; watchdog: Watchdog },
): Promise<{ picture: NetworkImage; label: LabelMask }> {
  const decoding = Promise.all([
    decodeForNetwork(image, size, fileName),
    decodeLabelOf(labelBytes, { width, height, classes }, fileName),
  ]);
  const [picture, label] = await watchdog.guard(`${fileName} was not decoded`, decoding);
  const indexed = contentSize(width, height, size);
  if (picture.width === indexed.width && picture.height === indexed.height) return { picture, label };
  throw new PartloopError('data-invalid', `${fileName} does not have the shape of its import, ${width}×${height}`);
}

/** A label on a canvas [size, size], padding ignored. */
export function fitLabel(label: LabelMask, size: number): Uint8Array {
  const { width, height } = contentSize(label.width, label.height, size);
  return padLabel(resizeNearest(label.pixels, label.width, label.height, width, height), width, height, size);
}

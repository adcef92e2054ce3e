import sharp, { type Sharp } from 'sharp';
import { PartloopError } from '../domain/errors.js';
import { enlargeBilinear, resizeNearest } from '../domain/geometry/resize.js';
import { IGNORE_INDEX } from '../domain/taxonomy.js';
import { decodeLabel, type LabelMask } from '../storage/labelMask.js';
import { contentSize, padLabel } from './letterbox.js';

/** Larger pictures are refused by their header, before any memory is taken for them. */
export const MAX_PIXELS = 100_000_000;
/** libvips would use every core for one picture; the pipeline decodes several at once instead. */
sharp.concurrency(1);
sharp.cache(false);

/** What the network sees of one picture, without its padding: `rgb` [height, width, 3], the longer side that of the canvas. */
export interface NetworkImage {
  rgb: Uint8Array;
  width: number;
  height: number;
}

/**
 * Decode upright, scale the longest side to `size` by bilinear filtering with antialiasing.
 *
 * @throws PartloopError `data-invalid` naming `name`
 */
export async function decodeForNetwork(bytes: Uint8Array, size: number, name: string): Promise<NetworkImage> {
  try {
    const source = sharp(bytes, { limitInputPixels: MAX_PIXELS, failOn: 'error' });
    const { autoOrient } = await source.metadata();
    const content = contentSize(autoOrient.width, autoOrient.height, size);
    const upright = source.autoOrient().flatten({ background: '#7c7468' }).toColourspace('srgb');
    if (content.width > autoOrient.width || content.height > autoOrient.height) {
      // libvips enlarges by another rule than the trainer.
      const own = await pixelsOf(upright, autoOrient);
      const rgb = enlargeBilinear(own, autoOrient.width, autoOrient.height, content.width, content.height);
      return { rgb, ...content };
    }
    const reduced = upright.resize(content.width, content.height, {
      fit: 'fill',
      kernel: 'linear',
      fastShrinkOnLoad: false,
    });
    const rgb = await pixelsOf(reduced, content);
    return { rgb, ...content };
  } catch (cause) {
    throw undecodable(name, cause);
  }
}

/** [h, w, 3]; refuses a picture whose bands are not three colours after all, as of a scientific TIFF. */
async function pixelsOf(picture: Sharp, size: { width: number; height: number }): Promise<Buffer> {
  const { data, info } = await picture.raw().toBuffer({ resolveWithObject: true });
  if (info.channels === 3 && info.width === size.width && info.height === size.height) return data;
  throw new Error(`it has ${info.width}×${info.height} pixels of ${info.channels} bands`);
}

/** The error for a picture that libvips cannot read. */
export function undecodable(name: string, cause: unknown): PartloopError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new PartloopError('data-invalid', `${name} cannot be decoded: ${reason}`, { cause });
}

/**
 * A label at its own size, which must be the picture's, with no value but 0 to `classes` and 255.
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
  // By index: an iterator over a label of every image takes a hundredth of the scan.
  for (let pixel = 0; pixel < pixels.length; pixel++) {
    const value = pixels[pixel] as number;
    // Looked up outside the network's answer, it would end the session's run and with it the whole shard.
    if (value > classes && value !== IGNORE_INDEX)
      throw new PartloopError('data-invalid', `label of ${name} has value ${value}; the taxonomy ends at ${classes}`);
  }
  return label;
}

/** A label on a canvas [size, size], padding ignored. */
export function fitLabel(label: LabelMask, size: number): Uint8Array {
  const { width, height } = contentSize(label.width, label.height, size);
  return padLabel(resizeNearest(label.pixels, label.width, label.height, width, height), width, height, size);
}

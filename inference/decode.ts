import sharp from 'sharp';
import { PartloopError } from '../domain/errors.js';
import { enlargeBilinear, resizeNearest } from '../domain/geometry/resize.js';
import { decodeLabel, type LabelMask } from '../storage/labelMask.js';
import { contentSize, padImage, padLabel } from './letterbox.js';

const MAX_PIXELS = 100_000_000;
/** libvips would use every core for one picture; the pipeline decodes several at once instead. */
sharp.concurrency(1);
sharp.cache(false);

/** What the network sees of one picture: `rgb` [S, S, 3], of which the top left `width`×`height` is the picture. */
export interface NetworkImage {
  rgb: Uint8Array;
  width: number;
  height: number;
}

/**
 * Decode upright, scale the longest side to `size` by bilinear filtering with antialiasing, pad.
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
      const own = await upright.raw().toBuffer();
      const rgb = enlargeBilinear(own, autoOrient.width, autoOrient.height, content.width, content.height);
      return { rgb: padImage(rgb, content.width, content.height, size), ...content };
    }
    const rgb = await upright
      .resize(content.width, content.height, { fit: 'fill', kernel: 'linear', fastShrinkOnLoad: false })
      .raw()
      .toBuffer();
    return { rgb: padImage(rgb, content.width, content.height, size), ...content };
  } catch (cause) {
    throw new PartloopError(
      'data-invalid',
      `${name} cannot be decoded: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  }
}

/** A label at its own size, which must be the picture's; @throws PartloopError `data-invalid` naming `name` */
export async function decodeLabelOf(
  bytes: Uint8Array,
  picture: { width: number; height: number },
  name: string,
): Promise<LabelMask> {
  const label = await decodeLabel(bytes, `label of ${name}`);
  if (label.width === picture.width && label.height === picture.height) return label;
  throw new PartloopError(
    'data-invalid',
    `label of ${name} is ${label.width}×${label.height}, the picture ${picture.width}×${picture.height}`,
  );
}

/** A label on a canvas [size, size], padding ignored. */
export function fitLabel(label: LabelMask, size: number): Uint8Array {
  const { width, height } = contentSize(label.width, label.height, size);
  return padLabel(resizeNearest(label.pixels, label.width, label.height, width, height), width, height, size);
}

import { PartloopError } from '../../domain/base/errors.js';
import type { Thumbnail } from '../../domain/draw/samePicture.js';
import { type OpenPicture, openPicture, readToTheEnd, reasonOf } from '../../storage/pictures/picture.js';

const HASH_SIDE = 8;

export interface PictureFacts {
  /** Upright size in pixels. */
  width: number;
  height: number;
  /** 16 hex digits. */
  perceptualHash: string;
  thumbnail: Thumbnail;
}

/**
 * Size, hash and thumbnail of a photograph. All of it is decoded once, in the same way as by scan and training: they
 * can read every accepted picture.
 *
 * @throws PartloopError `data-invalid` for a file that is no picture, is damaged or cut short, or has over 100
 * megapixels
 */
export async function inspectPicture(bytes: Buffer): Promise<PictureFacts> {
  try {
    const picture = await openPicture(bytes);
    const thumbnail = await readToTheEnd(picture);
    const { width, height } = picture;
    return { width, height, perceptualHash: await differenceHash(picture), thumbnail };
  } catch (cause) {
    throw new PartloopError('data-invalid', `it is not a readable picture: ${reasonOf(cause)}`, { cause });
  }
}

/**
 * Difference hash: 64 bits, each whether a pixel of the upright 9×8 greyscale picture is brighter than its right
 * neighbour (N. Krawetz, "Kind of Like That", 2013). Finds copies, not views.
 */
async function differenceHash({ kind, pixels: picture }: OpenPicture): Promise<string> {
  const width = HASH_SIDE + 1;
  // libvips reduces a WebP while it decodes it, and other than a JPEG: the same picture as WebP would look different.
  const options = { fit: 'fill', fastShrinkOnLoad: kind !== 'webp' } as const;
  const pixels = await picture.clone().greyscale().resize(width, HASH_SIDE, options).raw().toBuffer();
  let hash = 0n;
  for (let y = 0; y < HASH_SIDE; y++) {
    for (let x = 0; x < HASH_SIDE; x++) {
      const at = y * width + x;
      hash = (hash << 1n) | ((pixels[at] ?? 0) > (pixels[at + 1] ?? 0) ? 1n : 0n);
    }
  }
  return hash.toString(16).padStart(16, '0');
}

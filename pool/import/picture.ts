import sharp from 'sharp';
import { PartloopError } from '../../domain/errors.js';

const MAX_PIXELS = 100_000_000;
const OPTIONS = { limitInputPixels: MAX_PIXELS, failOn: 'truncated' } as const;
const HASH_SIDE = 8;

export interface PictureFacts {
  /** Upright size in pixels. */
  width: number;
  height: number;
  /** 16 hex digits. */
  perceptualHash: string;
}

/**
 * Size and hash of a photograph. All of it is decoded once.
 *
 * @throws PartloopError `data-invalid` for what is no picture, is cut short, or has over 100 megapixels
 */
export async function inspectPicture(bytes: Buffer): Promise<PictureFacts> {
  try {
    const { autoOrient, format } = await sharp(bytes, OPTIONS).metadata();
    if (format === 'svg' || format === 'pdf') throw new Error(`${format} is not a photograph`);
    return { width: autoOrient.width, height: autoOrient.height, perceptualHash: await differenceHash(bytes) };
  } catch (cause) {
    const reason = (cause instanceof Error ? cause.message : String(cause)).replace(/\s+/g, ' ').trim();
    throw new PartloopError('data-invalid', `it is not a readable picture: ${reason}`, { cause });
  }
}

/**
 * Difference hash: 64 bits, each whether a pixel of the upright 9×8 greyscale picture is brighter than its right neighbour
 * (N. Krawetz, "Kind of Like That", 2013). Finds copies, not views.
 */
async function differenceHash(bytes: Buffer): Promise<string> {
  const width = HASH_SIDE + 1;
  const small = sharp(bytes, OPTIONS).autoOrient().greyscale().resize(width, HASH_SIDE, { fit: 'fill' });
  const pixels = await small.raw().toBuffer();
  let hash = 0n;
  for (let y = 0; y < HASH_SIDE; y++) {
    for (let x = 0; x < HASH_SIDE; x++) {
      const at = y * width + x;
      hash = (hash << 1n) | ((pixels[at] ?? 0) > (pixels[at + 1] ?? 0) ? 1n : 0n);
    }
  }
  return hash.toString(16).padStart(16, '0');
}

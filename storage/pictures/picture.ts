import sharp, { type Sharp } from 'sharp';
import { THUMBNAIL_SIDE, type Thumbnail } from '../../domain/draw/samePicture.js';
import { type PictureKind, recognise } from './pictureKind.js';

/** Larger pictures are refused by their header, before they take any memory. */
export const MAX_PIXELS = 100_000_000;
/**
 * All readers accept exactly the pictures that this accepts: scan, training, evaluation and report can read everything
 * that import accepts. At the next stricter level libvips refuses oddities that are common in cameras, such as bytes
 * before a JPEG marker.
 */
const STRICTNESS = 'error';
/** Colour behind transparent pixels: that of the network's padding. */
const BEHIND = '#7c7468';
/** Shares of red, green and blue in a grey, as in JPEG (ITU-R BT.601). */
const LUMA = [0.299, 0.587, 0.114] as const;

/** libvips would use every core for one picture; instead the pipelines decode several at once. */
sharp.concurrency(1);
sharp.cache(false);

/** Our own reason for not reading a picture, in words that follow "cannot be decoded: ". */
class Unreadable extends Error {}

/**
 * A picture that is ready to be decoded into the normal form: 8-bit sRGB in three bands, upright, with its colour
 * profile applied, transparency flattened, and only the first of several frames or pages.
 */
export interface OpenPicture {
  kind: PictureKind;
  /** Upright size in pixels. */
  width: number;
  height: number;
  /**
   * The file's own samples are in normal form or are its grey: 8 bits, no profile, nothing transparent, stored upright.
   */
  plain: boolean;
  /** Stored otherwise than it is shown, by its EXIF orientation. */
  turned: boolean;
  /** In normal form. One picture decodes once; take `clone()` for more. */
  pixels: Sharp;
}

/**
 * Open a picture by its header. Every picture that partloop reads goes through here.
 *
 * @throws Error that `reasonOf` puts into words
 */
export async function openPicture(
  bytes: Uint8Array,
  strictness: 'error' | 'warning' = STRICTNESS,
): Promise<OpenPicture> {
  const recognised = recognise(bytes);
  if ('refused' in recognised) throw new Unreadable(recognised.refused);
  const source = sharp(bytes, { limitInputPixels: MAX_PIXELS, failOn: strictness });
  const { autoOrient, channels, depth, space, hasAlpha, hasProfile, orientation = 1 } = await source.metadata();
  const { width, height } = autoOrient;
  if (channels > (space === 'cmyk' ? 5 : 4)) throw new Unreadable(`it has ${channels} bands, which are not colours`);
  if (depth !== 'uchar' && depth !== 'ushort')
    throw new Unreadable(`it has samples of kind ${depth}, not of 8 or 16 bits`);
  // Otherwise sharp flattens grey on grey.
  const coloured = channels === 2 && !hasProfile ? source.pipelineColourspace('srgb') : source;
  const upright = coloured.autoOrient().flatten({ background: BEHIND }).toColourspace('srgb');
  const deep = depth === 'ushort';
  return {
    kind: recognised.kind,
    width,
    height,
    plain:
      !deep && !hasAlpha && !hasProfile && orientation === 1 && (space === 'b-w' ? channels === 1 : space === 'srgb'),
    turned: orientation !== 1,
    // sharp takes 16-bit colours with a profile to Display P3 and leaves them there unless asked for another.
    pixels: deep && hasProfile && channels >= 3 ? upright.withIccProfile('srgb', { attach: false }) : upright,
  };
}

/**
 * [height, width, 3] of a picture in normal form; refuses a picture whose bands are not three colours, such as a
 * scientific TIFF.
 */
export async function pixelsOf(picture: Sharp, size: { width: number; height: number }): Promise<Buffer> {
  const { data, info } = await picture.raw().toBuffer({ resolveWithObject: true });
  if (info.channels === 3 && info.width === size.width && info.height === size.height) return data;
  throw new Unreadable(`it has ${info.width}×${info.height} pixels of ${info.channels} bands`);
}

/**
 * A reduced picture, in the way of all readers of the network's pictures: bilinear with antialiasing, from all of its
 * pixels.
 */
export function scaled(pixels: Sharp, { width, height }: { width: number; height: number }): Sharp {
  return pixels.resize(width, height, { fit: 'fill', kernel: 'linear', fastShrinkOnLoad: false });
}

/** Decode all of a picture, keeping nothing but a thumbnail: throws where any reader would. */
export async function readToTheEnd({ pixels }: OpenPicture): Promise<Thumbnail> {
  const size = { width: THUMBNAIL_SIDE, height: THUMBNAIL_SIDE };
  const rgb = await pixelsOf(scaled(pixels.clone(), size), size);
  return Uint8Array.from({ length: rgb.length / LUMA.length }, (_, at) =>
    Math.round(LUMA.reduce((grey, share, band) => grey + share * (rgb[at * LUMA.length + band] as number), 0)),
  );
}

/**
 * The reason why a picture could not be read, in the same words at each attempt. The message of libvips is left to
 * `cause`: it differs between attempts, because libvips reads beyond the end of a file, and all threads write into one
 * buffer.
 */
export function reasonOf(cause: unknown): string {
  if (cause instanceof Unreadable) return cause.message;
  if (cause instanceof Error && cause.message.includes('exceeds pixel limit'))
    return `it has more than ${MAX_PIXELS / 1_000_000} megapixels`;
  return 'it is damaged, cut short or of an uncommon variant';
}

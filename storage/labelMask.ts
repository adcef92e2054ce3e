import { decode } from 'fast-png';
import sharp from 'sharp';
import { PartloopError } from '../domain/errors.js';
import { boundedPng, isPng } from './pngGuard.js';

export interface LabelMask {
  pixels: Uint8Array;
  width: number;
  height: number;
}

const MAX_PIXELS = 100_000_000;

/** An 8-bit greyscale PNG whose pixel values are label values (0 background, 1..N classes, 255 ignored). */
export async function encodeLabel(pixels: Uint8Array, width: number, height: number): Promise<Buffer> {
  if (pixels.length !== width * height) throw new RangeError(`${pixels.length} pixels do not fill ${width}×${height}`);
  return sharp(pixels, { raw: { width, height, channels: 1 } })
    .toColourspace('b-w')
    .png({ compressionLevel: 9, palette: false })
    .toBuffer();
}

/** What a PNG holds. `data` has `channels` samples a pixel; with a palette it holds indices into it. */
export type Png = ReturnType<typeof decode>;

/**
 * Label values of a greyscale or palette PNG. A palette PNG keeps its indices (sharp would expand them to colours); a colour
 * PNG has no indices and is refused.
 *
 * @throws PartloopError `data-invalid` naming `origin`
 */
export async function decodeLabel(bytes: Uint8Array, origin = 'label'): Promise<LabelMask> {
  const bounded = boundedPng(bytes, origin, MAX_PIXELS);
  if (isGreyscale(bounded)) return decodeGreyscale(bounded, origin);
  const png = decodeBounded(bounded, origin);
  if (png.channels !== 1) {
    throw new PartloopError('data-invalid', `${origin} is a colour PNG with ${png.channels} channels`, {
      hint: 'Labels are greyscale or palette PNGs whose pixel values are class numbers.',
    });
  }
  return { pixels: samplesOf(png, origin), width: png.width, height: png.height };
}

/**
 * A PNG in greyscale of 8 bits by its header (PNG specification, third edition, 11.2.1): depth and colour type. Nothing else may
 * reach libvips, which would take a label out of any kind of picture.
 */
const isGreyscale = (bytes: Uint8Array): boolean => isPng(bytes) && bytes[24] === 8 && bytes[25] === 0;

/** As the pool's own labels are stored, and read for every picture of a scan: libvips takes half of JavaScript's time. */
async function decodeGreyscale(png: Uint8Array, origin: string): Promise<LabelMask> {
  try {
    const { data, info } = await sharp(png, { limitInputPixels: MAX_PIXELS, failOn: 'error' })
      .toColourspace('b-w')
      .raw()
      .toBuffer({ resolveWithObject: true });
    if (info.channels !== 1) throw new Error(`it has ${info.channels} channels`);
    const { width, height } = info;
    return { pixels: new Uint8Array(data.buffer, data.byteOffset, data.byteLength), width, height };
  } catch (cause) {
    throw unreadable(origin, cause);
  }
}

/** @throws PartloopError `data-invalid` for what is no PNG or has over 100 megapixels */
export function decodePng(bytes: Uint8Array, origin: string): Png {
  return decodeBounded(boundedPng(bytes, origin, MAX_PIXELS), origin);
}

function decodeBounded(png: Uint8Array, origin: string): Png {
  try {
    return decode(png);
  } catch (cause) {
    throw unreadable(origin, cause);
  }
}

function unreadable(origin: string, cause: unknown): PartloopError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new PartloopError('data-invalid', `${origin} is not a readable PNG: ${reason}`, { cause });
}

/** The samples as bytes, `channels` a pixel; throws `data-invalid` for 16 bits a sample. */
export function samplesOf({ width, height, channels, depth, data }: Png, origin: string): Uint8Array {
  if (depth === 8) return Uint8Array.from(data);
  if (depth === 16) throw new PartloopError('data-invalid', `${origin} has 16 bits a pixel; labels have 8 or fewer`);
  return unpack(data, width * channels, height, depth);
}

/** Samples of 1, 2 or 4 bits, rows padded to whole bytes. */
function unpack(data: ArrayLike<number>, width: number, height: number, depth: number): Uint8Array {
  const pixels = new Uint8Array(width * height);
  const stride = Math.ceil((width * depth) / 8);
  const mask = (1 << depth) - 1;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const bit = x * depth;
      pixels[y * width + x] = ((data[y * stride + (bit >> 3)] ?? 0) >> (8 - depth - (bit & 7))) & mask;
    }
  }
  return pixels;
}

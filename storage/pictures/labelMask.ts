import { decode } from 'fast-png';
import sharp from 'sharp';
import { PartloopError } from '../../domain/base/errors.js';
import { recognise } from './pictureKind.js';
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

/** The content of a PNG. `data` has `channels` samples per pixel; with a palette these are indices into it. */
export type Png = ReturnType<typeof decode>;

/**
 * Label values of a PNG: the samples of greyscale, the indices of a palette (sharp would expand them to colours), and
 * the values of opaque colours that are all grey. True colours and transparency are no class numbers and are refused.
 *
 * @throws PartloopError `data-invalid` naming `origin`
 */
export async function decodeLabel(bytes: Uint8Array, origin = 'label'): Promise<LabelMask> {
  checkIsPng(bytes, origin);
  const bounded = boundedPng(bytes, origin, MAX_PIXELS);
  if (isGreyscale(bounded)) return decodeGreyscale(bounded, origin);
  const png = decodeBounded(bounded, origin);
  return { pixels: greyOf(samplesOf(png, origin), png.channels, origin), width: png.width, height: png.height };
}

/**
 * Refuses samples that are not all opaque, `channels` per pixel; the last of 2 or 4 is alpha. An eraser keeps the
 * colour below transparent pixels, so nobody can tell the meaning.
 *
 * @throws PartloopError `data-invalid` naming `origin`
 */
export function refuseTransparent(samples: Uint8Array, channels: number, origin: string): void {
  if (channels !== 2 && channels !== 4) return;
  for (let at = channels - 1; at < samples.length; at += channels)
    if (samples[at] !== 255)
      throw new PartloopError('data-invalid', `${origin} is partly transparent: labels are opaque`, {
        hint: 'Paint everything that is not a part with the background colour, and save the mask without transparency.',
      });
}

/** The grey of samples, `channels` per pixel; the last of 2 or 4 is alpha. */
function greyOf(samples: Uint8Array, channels: number, origin: string): Uint8Array {
  if (channels === 1) return samples;
  const colours = channels < 3 ? 1 : 3;
  const grey = new Uint8Array(samples.length / channels);
  for (let pixel = 0; pixel < grey.length; pixel++) {
    const at = pixel * channels;
    const value = samples[at] as number;
    if (colours === 3 && (samples[at + 1] !== value || samples[at + 2] !== value)) {
      const shown = [...samples.subarray(at, at + 3)].map((one) => one.toString(16).padStart(2, '0')).join('');
      throw new PartloopError(
        'data-invalid',
        `${origin} is a colour PNG (#${shown}): labels hold class numbers, in greyscale or a palette`,
        { hint: 'Save it as an 8-bit greyscale or palette PNG whose pixel values are class numbers.' },
      );
    }
    grey[pixel] = value;
  }
  refuseTransparent(samples, channels, origin);
  return grey;
}

/**
 * A PNG in greyscale of 8 bits by its header (PNG specification, third edition, 11.2.1): depth and colour type. Nothing
 * else may reach libvips, which would read a label from any kind of picture.
 */
const isGreyscale = (bytes: Uint8Array): boolean => isPng(bytes) && bytes[24] === 8 && bytes[25] === 0;

/** The form of the pool's own labels, read for every picture of a scan: libvips takes half of JavaScript's time. */
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

/** @throws PartloopError `data-invalid` for a file that is no PNG or has over 100 megapixels */
export function decodePng(bytes: Uint8Array, origin: string): Png {
  checkIsPng(bytes, origin);
  return decodeBounded(boundedPng(bytes, origin, MAX_PIXELS), origin);
}

function decodeBounded(png: Uint8Array, origin: string): Png {
  try {
    // Without this check, a flipped bit would become another class.
    return decode(png, { checkCrc: true });
  } catch (cause) {
    throw unreadable(origin, cause);
  }
}

function unreadable(origin: string, cause: unknown): PartloopError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new PartloopError('data-invalid', `${origin} is not a readable PNG: ${reason}`, { cause });
}

/** Names the kind of another picture; lossy kinds would change class numbers. */
function checkIsPng(bytes: Uint8Array, origin: string): void {
  const found = recognise(bytes);
  if ('kind' in found && found.kind === 'png') return;
  const what = 'kind' in found ? `it is ${found.kind.toUpperCase()}, and only PNG keeps class numbers` : found.refused;
  throw new PartloopError('data-invalid', `${origin} is not a readable PNG: ${what}`);
}

/**
 * The samples as bytes, `channels` per pixel; throws `data-invalid` if 16 bits are needed, or if fewer than 8 bits are
 * ambiguous.
 */
export function samplesOf({ width, height, channels, depth, data, palette }: Png, origin: string): Uint8Array {
  // By the PNG specification the largest sample is white: an optimiser turns 0 and 255 in 8 bits into 0 and 1 in one
  // bit.
  if (depth < 8 && palette === undefined)
    throw new PartloopError(
      'data-invalid',
      `${origin} is greyscale of ${depth} bit${depth === 1 ? '' : 's'}: its 1 may mean the first class, or the grey ${255 / (2 ** depth - 1)}`,
      { hint: 'Save it with 8 bits per pixel, or with a palette.' },
    );
  if (depth === 8) return Uint8Array.from(data);
  if (depth === 16) return narrowed(data, origin);
  return unpack(data, width * channels, height, depth);
}

/**
 * Label arrays of numpy and skimage are saved with 16 bits and have the same numbers: a value above 255 is no label
 * value.
 */
function narrowed(data: ArrayLike<number>, origin: string): Uint8Array {
  const samples = Uint8Array.from(data);
  for (let at = 0; at < samples.length; at++) {
    if (samples[at] !== data[at])
      throw new PartloopError(
        'data-invalid',
        `${origin} has 16 bits per pixel and the value ${data[at]}; labels have class numbers up to 255, in 8 bits`,
      );
  }
  return samples;
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

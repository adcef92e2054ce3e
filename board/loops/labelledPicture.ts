import sharp from 'sharp';
import { hasInk, lookOf } from '../../domain/board/colours.js';
import { resizeNearest } from '../../domain/geometry/resize.js';
import { openPicture } from '../../storage/pictures/picture.js';

const SIDE = 480;
const QUALITY = 82;
/** Opacity of a class where its pattern has ink and where it has none, of 255. */
const INK = 165;
const GROUND = 85;
const PERIOD = 8;

/** Label values of a picture, row by row, at any size. */
export interface Plane {
  pixels: Uint8Array;
  width: number;
  height: number;
}

/** The upright picture, small, with a label over it, WebP. */
export async function labelledPicture(image: Buffer, label: Plane): Promise<Buffer> {
  const { pixels } = await openPicture(image);
  const { data, info } = await pixels
    .resize({ width: SIDE, height: SIDE, fit: 'inside', withoutEnlargement: true })
    .png()
    .toBuffer({ resolveWithObject: true });
  const { width, height } = info;
  const input = painted(resizeNearest(label.pixels, label.width, label.height, width, height), width);
  return sharp(data)
    .composite([{ input, raw: { width, height, channels: 4 } }])
    .webp({ quality: QUALITY, effort: 1 })
    .toBuffer();
}

function painted(values: Uint8Array, width: number): Buffer {
  const rgba = Buffer.alloc(values.length * 4);
  values.forEach((value, at) => {
    if (value === 0) return;
    const { colour, pattern } = lookOf(value);
    const isInk = hasInk(pattern, at % width, Math.floor(at / width), PERIOD);
    rgba.set([...colour, isInk ? INK : GROUND], at * 4);
  });
  return rgba;
}

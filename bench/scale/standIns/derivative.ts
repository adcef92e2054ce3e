import sharp from 'sharp';
import type { readDerivative as realReadDerivative } from '../../../inference/derivative.js';
import { PNG_MARK } from '../../../inference/normalForm.js';
import { encodeLabel } from '../../../storage/pictures/labelMask.js';

export * from '../../../inference/derivative.js';

const SIDE = 8;
let copies: ReturnType<typeof realReadDerivative> | undefined;

/** Fetches nothing: every image has the same copies of a few bytes, which then go to the disk's cache as real ones. */
export const readDerivative: typeof realReadDerivative = () => {
  copies ??= tinyCopies();
  return copies;
};

async function tinyCopies(): ReturnType<typeof realReadDerivative> {
  const background = { r: 90, g: 90, b: 90 };
  const image = await sharp({ create: { width: SIDE, height: SIDE, channels: 3, background } })
    .withExif({ IFD0: { Software: PNG_MARK } })
    .png()
    .toBuffer();
  return { image, label: await encodeLabel(new Uint8Array(SIDE * SIDE), SIDE, SIDE) };
}

import { PartloopError } from '../../domain/errors.js';
import type { PixelBox } from '../../domain/geometry/rle.js';

const WORD_BITS = 8;
const LENGTH_BITS = [3, 4, 8, 16] as const;
const CHANNELS = 4;
const LONGEST_RUN = 2 ** 16;

/**
 * Label Studio's brush mask: the RGBA bytes of the picture, packed by @thi.ng/rle-pack (a head of 32 + 5 + 4 × 4 bits, then runs
 * and literals whose length takes 3, 4, 8 or 16 bits). All four channels are 255 inside and 0 outside.
 *
 * @param inside asked for pixels of `box` alone; outside of it there is none
 */
export function encodeBrush(
  inside: (x: number, y: number) => boolean,
  box: PixelBox,
  width: number,
  height: number,
): number[] {
  const bits = new BitWriter();
  bits.write(width * height * CHANNELS, 32);
  bits.write(WORD_BITS - 1, 5);
  for (const size of LENGTH_BITS) bits.write(size - 1, 4);
  let start = 0;
  let value = 0;
  const turnAt = (pixel: number, next: number): void => {
    if (next === value) return;
    writeRun(bits, value, (pixel - start) * CHANNELS);
    start = pixel;
    value = next;
  };
  const rowsJoin = box.x0 === 0 && box.x1 === width;
  for (let y = box.y0; y < box.y1; y++) {
    for (let x = box.x0; x < box.x1; x++) turnAt(y * width + x, inside(x, y) ? 255 : 0);
    if (!rowsJoin) turnAt(y * width + box.x1, 0);
  }
  turnAt(box.y1 * width, 0);
  writeRun(bits, value, (width * height - start) * CHANNELS);
  return bits.bytes();
}

function writeRun(bits: BitWriter, value: number, words: number): void {
  for (let rest = words; rest > 0; ) {
    const length = Math.min(rest, LONGEST_RUN);
    const size = LENGTH_BITS.findIndex((width) => length <= 2 ** width);
    bits.write(1, 1);
    bits.write(size, 2);
    bits.write(length - 1, LENGTH_BITS[size] as number);
    bits.write(value, WORD_BITS);
    rest -= length;
  }
}

/**
 * The pixels of a brush mask, 1 where its alpha channel is not 0.
 *
 * @throws PartloopError `data-invalid` where it is cut short or for another number of pixels
 */
export function decodeBrush(bytes: readonly number[], pixels: number): Uint8Array {
  const bits = new BitReader(bytes);
  const total = bits.read(32);
  const word = bits.read(5) + 1;
  const lengths = LENGTH_BITS.map(() => bits.read(4) + 1);
  if (total !== pixels * CHANNELS)
    throw new PartloopError('data-invalid', `a brush mask of it has ${total / CHANNELS} pixels, not ${pixels}`);
  const mask = new Uint8Array(pixels);
  // Alpha is the last of a pixel's words: a run up to word `at` holds the alpha of the pixels before `at / CHANNELS`.
  for (let at = 0; at < total; ) {
    const isRun = bits.read(1) === 1;
    const end = at + 1 + bits.read(lengths[bits.read(2)] as number);
    if (end > total) throw new PartloopError('data-invalid', 'a brush mask of it is damaged');
    if (isRun) {
      if (bits.read(word) !== 0) mask.fill(1, Math.floor(at / CHANNELS), Math.floor(end / CHANNELS));
      at = end;
    } else {
      for (; at < end; at++)
        if (bits.read(word) !== 0 && at % CHANNELS === CHANNELS - 1) mask[(at + 1) / CHANNELS - 1] = 1;
    }
  }
  return mask;
}

class BitWriter {
  private readonly done: number[] = [];
  private byte = 0;
  private filled = 0;

  write(value: number, width: number): void {
    for (let bit = width - 1; bit >= 0; bit--) {
      this.byte = (this.byte << 1) | (Math.floor(value / 2 ** bit) % 2);
      this.filled += 1;
      if (this.filled === 8) {
        this.done.push(this.byte);
        this.byte = 0;
        this.filled = 0;
      }
    }
  }

  bytes(): number[] {
    return this.filled === 0 ? this.done : [...this.done, this.byte << (8 - this.filled)];
  }
}

class BitReader {
  private at = 0;

  constructor(private readonly bytes: readonly number[]) {}

  read(width: number): number {
    if (this.at + width > this.bytes.length * 8)
      throw new PartloopError('data-invalid', 'a brush mask of it is cut short');
    let value = 0;
    for (let bit = 0; bit < width; bit++, this.at++) {
      value = value * 2 + (((this.bytes[this.at >> 3] as number) >> (7 - (this.at & 7))) & 1);
    }
    return value;
  }
}

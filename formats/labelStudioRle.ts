import { PartloopError } from '../domain/errors.js';

const WORD_BITS = 8;
const LENGTH_BITS = [3, 4, 8, 16] as const;
const CHANNELS = 4;
const LONGEST_RUN = 2 ** 16;

/**
 * Label Studio's brush mask: the RGBA bytes of the picture, packed by @thi.ng/rle-pack (a head of 32 + 5 + 4 × 4 bits, then runs
 * and literals whose length takes 3, 4, 8 or 16 bits). All four channels are 255 inside and 0 outside.
 *
 * @param inside one value a pixel, not 0 where the brush was
 */
export function encodeBrush(inside: ArrayLike<number>): number[] {
  const bits = new BitWriter();
  bits.write(inside.length * CHANNELS, 32);
  bits.write(WORD_BITS - 1, 5);
  for (const size of LENGTH_BITS) bits.write(size - 1, 4);
  for (let start = 0; start < inside.length; ) {
    let end = start;
    const value = inside[start] === 0 ? 0 : 255;
    while (end < inside.length && (inside[end] === 0 ? 0 : 255) === value) end++;
    for (let rest = (end - start) * CHANNELS; rest > 0; ) {
      const length = Math.min(rest, LONGEST_RUN);
      const size = LENGTH_BITS.findIndex((width) => length <= 2 ** width);
      bits.write(1, 1);
      bits.write(size, 2);
      bits.write(length - 1, LENGTH_BITS[size] as number);
      bits.write(value, WORD_BITS);
      rest -= length;
    }
    start = end;
  }
  return bits.bytes();
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
  const put = (at: number, value: number): void => {
    if (at % CHANNELS === CHANNELS - 1 && value !== 0) mask[(at - CHANNELS + 1) / CHANNELS] = 1;
  };
  for (let at = 0; at < total; ) {
    const isRun = bits.read(1) === 1;
    const end = at + 1 + bits.read(lengths[bits.read(2)] as number);
    if (end > total) throw new PartloopError('data-invalid', 'a brush mask of it is damaged');
    if (isRun) for (const value = bits.read(word); at < end; at++) put(at, value);
    else for (; at < end; at++) put(at, bits.read(word));
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

import { PartloopError } from '../../domain/base/errors.js';

const WORD_BITS = 8;
const LENGTH_BITS = [3, 4, 8, 16] as const;
const CHANNELS = 4;
const LONGEST_RUN = 2 ** 16;

/**
 * Label Studio's brush mask: the RGBA bytes of the picture, packed by @thi.ng/rle-pack (a head of 32 + 5 + 4 × 4 bits,
 * then runs and literals whose length takes 3, 4, 8 or 16 bits). All four channels are 255 inside and 0 outside.
 *
 * @param runs pairs of the first pixel and the one after the last, row by row, ascending
 */
export function encodeBrush(runs: Int32Array, pixels: number): number[] {
  const bits = new BitWriter();
  bits.write(pixels * CHANNELS, 32);
  bits.write(WORD_BITS - 1, 5);
  for (const size of LENGTH_BITS) bits.write(size - 1, 4);
  let end = 0;
  for (let run = 0; run < runs.length; run += 2) {
    const from = runs[run] as number;
    writeRun(bits, 0, (from - end) * CHANNELS);
    end = runs[run + 1] as number;
    writeRun(bits, 255, (end - from) * CHANNELS);
  }
  writeRun(bits, 0, (pixels - end) * CHANNELS);
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
 * The pixels of a brush mask whose alpha channel is not 0, as runs like those of `encodeBrush`. The cost depends on the
 * packed bytes.
 *
 * @throws PartloopError `data-invalid` if it is cut short or has another number of pixels
 */
export function decodeBrush(bytes: readonly number[], pixels: number): Int32Array {
  const bits = new BitReader(bytes);
  const total = bits.read(32);
  const word = bits.read(5) + 1;
  const lengths = LENGTH_BITS.map(() => bits.read(4) + 1);
  if (total !== pixels * CHANNELS)
    throw new PartloopError('data-invalid', `one of its brush masks has ${total / CHANNELS} pixels, not ${pixels}`);
  const runs: number[] = [];
  const add = (from: number, to: number): void => {
    if (to <= from) return;
    if (runs.at(-1) === from) runs[runs.length - 1] = to;
    else runs.push(from, to);
  };
  // Alpha is the last of a pixel's words: a run up to word `at` has the alpha of the pixels before `at / CHANNELS`.
  for (let at = 0; at < total; ) {
    const isRun = bits.read(1) === 1;
    const end = at + 1 + bits.read(lengths[bits.read(2)] as number);
    if (end > total) throw new PartloopError('data-invalid', 'one of its brush masks is damaged');
    if (isRun) {
      if (bits.read(word) !== 0) add(Math.floor(at / CHANNELS), Math.floor(end / CHANNELS));
      at = end;
    } else {
      for (; at < end; at++)
        if (bits.read(word) !== 0 && at % CHANNELS === CHANNELS - 1) add((at + 1) / CHANNELS - 1, (at + 1) / CHANNELS);
    }
  }
  return Int32Array.from(runs);
}

class BitWriter {
  private readonly done: number[] = [];
  private byte = 0;
  private filled = 0;

  write(value: number, width: number): void {
    for (let rest = width; rest > 0; ) {
      const taken = Math.min(rest, 8 - this.filled);
      rest -= taken;
      this.byte = (this.byte << taken) | (Math.floor(value / 2 ** rest) % 2 ** taken);
      this.filled += taken;
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
      throw new PartloopError('data-invalid', 'one of its brush masks is cut short');
    let value = 0;
    for (let rest = width; rest > 0; ) {
      const used = this.at & 7;
      const taken = Math.min(rest, 8 - used);
      const bits = ((this.bytes[this.at >>> 3] as number) >> (8 - used - taken)) & (2 ** taken - 1);
      value = value * 2 ** taken + bits;
      this.at += taken;
      rest -= taken;
    }
    return value;
  }
}

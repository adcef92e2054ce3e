import { mixed } from './buckets.js';

/** Bits of a difference hash. */
export const HASH_BITS = 64;
const WORD_BITS = 32;

/** A hash as two words of 32 bits. */
export type Hash = readonly [high: number, low: number];

/** Many hashes by column: the words of the hash at a position. */
export interface Hashes {
  readonly high: Uint32Array;
  readonly low: Uint32Array;
}

/** @param hex 16 hex digits */
export function parseHash(hex: string): Hash {
  return [Number.parseInt(hex.slice(0, 8), 16), Number.parseInt(hex.slice(8), 16)];
}

/** Hashes of 16 hex digits by column, in the order given. */
export function hashColumns(hashes: readonly string[]): Hashes {
  const columns = { high: new Uint32Array(hashes.length), low: new Uint32Array(hashes.length) };
  hashes.forEach((hex, at) => {
    [columns.high[at], columns.low[at]] = parseHash(hex);
  });
  return columns;
}

/** The hashes at some positions. */
export function pickHashes({ high, low }: Hashes, positions: Int32Array): Hashes {
  const picked = { high: new Uint32Array(positions.length), low: new Uint32Array(positions.length) };
  for (let at = 0; at < positions.length; at++) {
    picked.high[at] = high[positions[at] as number] as number;
    picked.low[at] = low[positions[at] as number] as number;
  }
  return picked;
}

/** A bit of a hash, counted from the most significant. */
export const bitOf = (high: number, low: number, bit: number): number =>
  ((bit < WORD_BITS ? high >>> (WORD_BITS - 1 - bit) : low >>> (HASH_BITS - 1 - bit)) & 1) as number;

/** Number of bits that are set in two words together. */
export function bitCount(high: number, low: number): number {
  let a = high - ((high >>> 1) & 0x55555555);
  let b = low - ((low >>> 1) & 0x55555555);
  a = (a & 0x33333333) + ((a >>> 2) & 0x33333333);
  b = (b & 0x33333333) + ((b >>> 2) & 0x33333333);
  const both = a + b;
  return Math.imul((both & 0x0f0f0f0f) + ((both >>> 4) & 0x0f0f0f0f), 0x01010101) >>> 24;
}

/** Number of bits in which two hashes differ. */
export function distance(a: Hash, b: Hash): number {
  return bitCount(a[0] ^ b[0], a[1] ^ b[1]);
}

/** Number of differing bits of two hashes of 16 hex digits. */
export function hashDistance(a: string, b: string): number {
  return distance(parseHash(a), parseHash(b));
}

/** Equal hashes as one. */
export interface DistinctHashes {
  /** The first position of each hash, ascending. */
  firsts: Int32Array;
  /** For every position, where its hash is in `firsts`. */
  numbers: Int32Array;
}

/** Find equal hashes, by a table with linear probing. */
export function distinctHashes({ high, low }: Hashes): DistinctHashes {
  const count = high.length;
  const bits = Math.max(2, Math.ceil(Math.log2(2 * count + 1)));
  const table = new Int32Array(2 ** bits).fill(-1);
  const firsts = new Int32Array(count);
  const numbers = new Int32Array(count);
  let found = 0;
  for (let at = 0; at < count; at++) {
    let place = mixed(high[at] as number, low[at] as number, bits);
    let number = table[place] as number;
    while (number >= 0) {
      const first = firsts[number] as number;
      if (high[first] === high[at] && low[first] === low[at]) break;
      place = (place + 1) & (table.length - 1);
      number = table[place] as number;
    }
    if (number < 0) {
      number = found++;
      table[place] = number;
      firsts[number] = at;
    }
    numbers[at] = number;
  }
  return { firsts: firsts.slice(0, found), numbers };
}

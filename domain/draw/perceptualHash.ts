/** Bits of a difference hash. */
export const HASH_BITS = 64;

/** A hash as two words of 32 bits. */
export type Hash = readonly [high: number, low: number];

/** @param hex 16 hex digits */
export function parseHash(hex: string): Hash {
  return [Number.parseInt(hex.slice(0, 8), 16), Number.parseInt(hex.slice(8), 16)];
}

/** Number of bits that differ. */
export function distance(a: Hash, b: Hash): number {
  return bitCount(a[0] ^ b[0]) + bitCount(a[1] ^ b[1]);
}

/** Number of differing bits of two hashes of 16 hex digits. */
export function hashDistance(a: string, b: string): number {
  return distance(parseHash(a), parseHash(b));
}

function bitCount(word: number): number {
  let v = word - ((word >>> 1) & 0x55555555);
  v = (v & 0x33333333) + ((v >>> 2) & 0x33333333);
  return Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

import { bitOf, HASH_BITS, type Hashes } from './perceptualHash.js';

/** Hashes that are looked at to see how even a bit is. */
const LOOKED_AT = 4_096;

/**
 * Bits of a hash, dealt out to bands so that each has its share of those that vary. Pictures of one scene have bits
 * that hardly ever differ: a band of such bits alone would tell nothing apart.
 */
export type Bands = readonly (readonly number[])[];

/** @param count of bands; every bit of a hash is in one of them */
export function evenBands(hashes: Hashes, count: number): Bands {
  const step = Math.max(1, Math.floor(hashes.high.length / LOOKED_AT));
  const set = new Array<number>(HASH_BITS).fill(0);
  let looked = 0;
  for (let at = 0; at < hashes.high.length; at += step, looked++)
    for (let bit = 0; bit < HASH_BITS; bit++)
      set[bit] = (set[bit] as number) + bitOf(hashes.high[at] as number, hashes.low[at] as number, bit);
  const unevenness = set.map((ones) => Math.abs(ones - looked / 2));
  const order = unevenness.map((_, bit) => bit).sort((a, b) => (unevenness[a] ?? 0) - (unevenness[b] ?? 0) || a - b);
  const bands = Array.from({ length: count }, () => [] as number[]);
  order.forEach((bit, place) => {
    const round = Math.floor(place / count);
    const band = round % 2 === 0 ? place % count : count - 1 - (place % count);
    bands[band]?.push(bit);
  });
  return bands;
}

/** The bits of a band as one number; with more than 32 bits, of the last 32. */
export function bandOf(high: number, low: number, band: readonly number[]): number {
  let value = 0;
  for (const bit of band) value = (value << 1) | bitOf(high, low, bit);
  return value >>> 0;
}

/** The same of many hashes. */
export function bandColumn({ high, low }: Hashes, band: readonly number[]): Uint32Array {
  const values = new Uint32Array(high.length);
  for (const bit of band) {
    const [words, shift] = bit < 32 ? [high, 31 - bit] : [low, HASH_BITS - 1 - bit];
    for (let at = 0; at < values.length; at++)
      values[at] = ((values[at] as number) << 1) | (((words[at] as number) >>> shift) & 1);
  }
  return values;
}

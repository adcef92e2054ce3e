import { DisjointSets } from './disjointSets.js';
import { distance, HASH_BITS, type Hash, parseHash } from './perceptualHash.js';

/**
 * Number of bands beyond the bits that may differ. At least as many bands agree, and together they are a key that few
 * hashes share.
 */
const AGREEING = 2;
/** With fewer bands, a key would be too long for a double. */
const FEWEST_BANDS = 5;
/** A longer run of hashes with one key is split by the joins so far. */
const LONG_RUN = 16;
/** Room for the position behind a key in one double: 26 bits of key and 24 of position are exact. */
const POSITIONS = 2 ** 24;

/**
 * Join all hashes that are at most `bits` apart, exactly and transitively.
 *
 * Multi-index hashing (Norouzi et al., arXiv 1307.2982) with keys of two bands: of `bits + 2` bands at least two agree
 * in two such hashes. A table is one sorted array, so that memory stays at a few numbers per hash. In a run of equal
 * keys only hashes of different sets are compared: dense places are joined by the first tables and skipped by the
 * others.
 *
 * @param hashes at most 16,777,216 hashes of 16 hex digits
 * @returns sets of positions
 */
export function joinWithin(hashes: readonly string[], bits: number): DisjointSets {
  if (hashes.length > POSITIONS) throw new RangeError(`${hashes.length} hashes: at most ${POSITIONS}`);
  const parsed = hashes.map(parseHash);
  const sets = new DisjointSets(hashes.length);
  const bands = bandsOf(parsed, Math.max(bits + AGREEING, FEWEST_BANDS));
  const table = new Float64Array(hashes.length);
  for (let a = 0; a < bands.length; a++)
    for (let b = a + 1; b < bands.length; b++) {
      sortByKey(table, bands[a] as Band, bands[b] as Band);
      forEachRun(table, (run) => joinRun(run, parsed, bits, sets));
    }
  return sets;
}

/** One band of bits of every hash. */
interface Band {
  values: Uint16Array;
  /** Number of possible values. */
  range: number;
}

function bandsOf(hashes: readonly Hash[], count: number): Band[] {
  return Array.from({ length: count }, (_, band) => {
    const start = Math.floor((band * HASH_BITS) / count);
    const length = Math.floor(((band + 1) * HASH_BITS) / count) - start;
    return { values: Uint16Array.from(hashes, (hash) => bitsOf(hash, start, length)), range: 2 ** length };
  });
}

/** `length` (at most 16) bits from bit `start`, counted from the most significant. */
function bitsOf([high, low]: Hash, start: number, length: number): number {
  let value = 0;
  for (let bit = start; bit < start + length; bit++)
    value = (value << 1) | ((bit < 32 ? high >>> (31 - bit) : low >>> (63 - bit)) & 1);
  return value;
}

function sortByKey(table: Float64Array, a: Band, b: Band): void {
  for (let at = 0; at < table.length; at++) {
    const key = (a.values[at] as number) * b.range + (b.values[at] as number);
    table[at] = key * POSITIONS + at;
  }
  table.sort();
}

/** Positions that share a key, forevery key that several have. */
function forEachRun(table: Float64Array, work: (positions: number[]) => void): void {
  for (let start = 0; start < table.length; ) {
    const key = Math.floor((table[start] as number) / POSITIONS);
    const behind = (key + 1) * POSITIONS;
    let end = start + 1;
    while (end < table.length && (table[end] as number) < behind) end++;
    if (end - start > 1) work(Array.from(table.subarray(start, end), (entry) => entry - key * POSITIONS));
    start = end;
  }
}

function joinRun(run: readonly number[], hashes: readonly Hash[], bits: number, sets: DisjointSets): void {
  const [ordered, rest] = run.length > LONG_RUN ? largestSetLast(run, sets) : [run, run.length];
  for (let a = 0; a < rest; a++) {
    const one = ordered[a] as number;
    for (let b = a + 1; b < ordered.length; b++) {
      const other = ordered[b] as number;
      if (sets.root(one) !== sets.root(other) && distance(hashes[one] as Hash, hashes[other] as Hash) <= bits)
        sets.join(one, other);
    }
  }
}

/** The run with the largest set of joined positions at its end, and the number of positions before it. */
function largestSetLast(run: readonly number[], sets: DisjointSets): [ordered: number[], rest: number] {
  const sizes = new Map<number, number>();
  for (const position of run) sizes.set(sets.root(position), (sizes.get(sets.root(position)) ?? 0) + 1);
  let largest = -1;
  for (const [root, size] of sizes) if (size > (sizes.get(largest) ?? 0)) largest = root;
  const rest = run.filter((position) => sets.root(position) !== largest);
  return [rest.concat(run.filter((position) => sets.root(position) === largest)), rest.length];
}

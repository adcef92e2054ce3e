import { bandColumn, evenBands } from './bands.js';
import { Buckets, bucketBits, mixed } from './buckets.js';
import { DisjointSets } from './disjointSets.js';
import { bitCount, type Hashes } from './perceptualHash.js';

/** A run that is longer is split by what is joined already. */
const LONG_RUN = 16;

/**
 * Join all hashes that are at most `bits` apart, exactly and transitively.
 *
 * Multi-index hashing (Norouzi et al., arXiv 1307.2982) with `bits + 1` bands. Two such hashes differ in `bits` bands
 * at most. If in fewer, then two bands agree: there is a table for every two. Else one band agrees and each of the
 * others differs in one bit, so that its parity differs: there is a table for every band with the parities of the
 * others. What is close by its key alone is told apart by its distance.
 *
 * In a run of equal keys only hashes of different sets are compared: dense places are joined by the first tables and
 * skipped by the others.
 *
 * @returns sets of positions
 */
export function joinWithin(hashes: Hashes, bits: number): DisjointSets {
  const count = hashes.high.length;
  const sets = new DisjointSets(count);
  const bands = evenBands(hashes, Math.max(2, bits + 1)).map((band) => bandColumn(hashes, band));
  const sizes = bucketBits(count);
  const buckets = new Buckets(count, 2 ** sizes);
  const keys = new Uint32Array(count);
  const joiner = new RunJoiner(hashes, bits, sets);
  const join = (one: Uint32Array, other: Uint32Array): void => {
    for (let at = 0; at < count; at++) keys[at] = mixed(one[at] as number, other[at] as number, sizes);
    buckets.fill(keys);
    joiner.joinRuns(buckets);
  };
  bands.forEach((band, number) => {
    for (const other of bands.slice(number + 1)) join(band, other);
  });
  bands.forEach((band, number) => {
    join(band, paritiesOf(bands.toSpliced(number, 1)));
  });
  return sets;
}

/** The parity of each band, one bit a band; what differs in all of them is the same number. */
function paritiesOf(bands: readonly Uint32Array[]): Uint32Array {
  const parities = new Uint32Array(bands[0]?.length ?? 0);
  const all = 2 ** bands.length - 1;
  for (const band of bands)
    for (let at = 0; at < parities.length; at++)
      parities[at] = ((parities[at] as number) << 1) | (bitCount(band[at] as number, 0) & 1);
  for (let at = 0; at < parities.length; at++)
    parities[at] = Math.min(parities[at] as number, (parities[at] as number) ^ all);
  return parities;
}

/** Joins positions whose hashes are close, run by run; its arrays are used again for the next run. */
export class RunJoiner {
  #ordered = new Int32Array(0);
  #high = new Uint32Array(0);
  #low = new Uint32Array(0);

  constructor(
    private readonly hashes: Hashes,
    private readonly bits: number,
    private readonly sets: DisjointSets,
  ) {}

  /** Join what is at most `bits` apart among the positions of each bucket. */
  joinRuns(buckets: Buckets): void {
    buckets.forEachRun((start, end) => {
      if (end - start <= LONG_RUN) this.#joinShort(buckets.positions, start, end);
      else this.#joinLong(buckets.positions.subarray(start, end));
    });
  }

  #joinShort(positions: Int32Array, start: number, end: number): void {
    const { high: highs, low: lows } = this.hashes;
    for (let at = start; at < end; at++) {
      const one = positions[at] as number;
      const [high, low] = [highs[one] as number, lows[one] as number];
      for (let next = at + 1; next < end; next++) {
        const other = positions[next] as number;
        const differ = bitCount(high ^ (highs[other] as number), low ^ (lows[other] as number));
        if (differ <= this.bits) this.sets.join(one, other);
      }
    }
  }

  #joinLong(run: Int32Array): void {
    if (run.length > this.#ordered.length) {
      this.#ordered = new Int32Array(2 * run.length);
      this.#high = new Uint32Array(2 * run.length);
      this.#low = new Uint32Array(2 * run.length);
    }
    const rest = this.#order(run);
    for (let at = 0; at < run.length; at++) {
      this.#high[at] = this.hashes.high[this.#ordered[at] as number] as number;
      this.#low[at] = this.hashes.low[this.#ordered[at] as number] as number;
    }
    for (let at = 0; at < rest; at++) {
      for (let other = this.#next(at, at + 1, rest); other < rest; other = this.#next(at, other + 1, rest))
        this.sets.join(this.#ordered[at] as number, this.#ordered[other] as number);
      if (rest < run.length) this.#joinLargest(at, rest, run.length);
    }
  }

  /** The largest set is put at the end of a run; returns how many positions stand before it. */
  #order(run: Int32Array): number {
    const { sets } = this;
    let largest = sets.root(run[0] as number);
    for (let at = 1; at < run.length; at++) {
      const root = sets.root(run[at] as number);
      if (sets.size(root) > sets.size(largest)) largest = root;
    }
    let [rest, end] = [0, run.length];
    for (let at = 0; at < run.length; at++) {
      const position = run[at] as number;
      if (sets.root(position) === largest) this.#ordered[--end] = position;
      else this.#ordered[rest++] = position;
    }
    return rest;
  }

  /** The next of the ordered positions before `end` that is close to the one at `at`; `end` if there is none. */
  #next(at: number, from: number, end: number): number {
    const [highs, lows, bits] = [this.#high, this.#low, this.bits];
    const [high, low] = [highs[at] as number, lows[at] as number];
    for (let other = from; other < end; other++)
      if (bitCount(high ^ (highs[other] as number), low ^ (lows[other] as number)) <= bits) return other;
    return end;
  }

  /** Join a position with the set that the run ends with: one close member is enough. */
  #joinLargest(at: number, from: number, end: number): void {
    const [one, largest] = [this.#ordered[at] as number, this.#ordered[from] as number];
    if (this.sets.root(one) === this.sets.root(largest)) return;
    if (this.#next(at, from, end) < end) this.sets.join(one, largest);
  }
}

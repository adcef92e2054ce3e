import { type Bands, bandColumn, bandOf, evenBands } from './bands.js';
import { Buckets, bucketBits, mixed } from './buckets.js';
import { bitCount, type Hashes, hashColumns, parseHash } from './perceptualHash.js';

/** Bits within which a training image counts as a copy of a test image. */
export const TEST_COPY_BITS = 2;
/** Bands beyond the bits that may differ: at least as many agree. */
const AGREEING = 2;

/** A test whether a hash is a copy of any of `hashes`, at most `bits` bits away. */
export function copyDetector(hashes: readonly string[], bits = TEST_COPY_BITS): (hash: string) => boolean {
  const known = new CopyIndex(hashColumns([...new Set(hashes)]), bits);
  return (hash) => known.has(...parseHash(hash));
}

/**
 * Hashes in which a close one is found. Multi-index hashing (Norouzi et al., arXiv 1307.2982): of `bits + 2` bands at
 * least two agree, and every two of them have a table.
 */
export class CopyIndex {
  readonly #bands: Bands;
  readonly #tables: readonly { one: number; other: number; buckets: Buckets }[];
  readonly #bucketBits: number;

  /** @param hashes each once: a bucket of equal hashes would be looked through as a whole */
  constructor(
    private readonly hashes: Hashes,
    private readonly bits: number,
  ) {
    const count = hashes.high.length;
    this.#bands = evenBands(hashes, bits + AGREEING);
    this.#bucketBits = bucketBits(count);
    const columns = this.#bands.map((band) => bandColumn(hashes, band));
    const keys = new Uint32Array(count);
    this.#tables = columns.flatMap((one, number) =>
      columns.slice(number + 1).map((other, place) => {
        for (let at = 0; at < count; at++) keys[at] = mixed(one[at] as number, other[at] as number, this.#bucketBits);
        const buckets = new Buckets(count, 2 ** this.#bucketBits);
        buckets.fill(keys);
        return { one: number, other: number + 1 + place, buckets };
      }),
    );
  }

  /** Whether a hash of these words is at most `bits` bits away from any. */
  has(high: number, low: number): boolean {
    const { hashes, bits } = this;
    const bands = this.#bands.map((band) => bandOf(high, low, band));
    for (const { one, other, buckets } of this.#tables) {
      const bucket = mixed(bands[one] as number, bands[other] as number, this.#bucketBits);
      const end = buckets.starts[bucket + 1] as number;
      for (let at = buckets.starts[bucket] as number; at < end; at++) {
        const position = buckets.positions[at] as number;
        const differ = bitCount(high ^ (hashes.high[position] as number), low ^ (hashes.low[position] as number));
        if (differ <= bits) return true;
      }
    }
    return false;
  }
}

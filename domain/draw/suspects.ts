import { Buckets } from './buckets.js';
import { bitCount, type Hashes } from './perceptualHash.js';

/**
 * Bits within which a picture may be one of the test set, saved again: the pictures themselves are compared then.
 * Copies are rarely further away; of 10,000 pairs of different photos three to ten are as close. Chosen with
 * `SAME_LIKENESS`.
 */
export const SUSPECT_BITS = 14;
const PART_BITS = 16;
const PARTS = 4;
/** In one of its parts two such hashes differ by a quarter of the bits at most. */
const PART_MASKS = masksUpTo(Math.floor(SUSPECT_BITS / PARTS));

/**
 * Hashes among which those close to another are found: every way to change a part of that by few bits is looked up
 * (multi-index hashing, Norouzi et al., arXiv 1307.2982).
 */
export class SuspectIndex {
  private readonly parts: readonly Buckets[];

  constructor(private readonly hashes: Hashes) {
    const count = hashes.high.length;
    this.parts = Array.from({ length: PARTS }, (_, part) => {
      const buckets = new Buckets(count, 2 ** PART_BITS);
      buckets.fill(
        Uint32Array.from({ length: count }, (_, at) =>
          partOf(hashes.high[at] as number, hashes.low[at] as number, part),
        ),
      );
      return buckets;
    });
  }

  /** Positions of the hashes that are at most `SUSPECT_BITS` away, ascending. */
  near(high: number, low: number): number[] {
    const { hashes } = this;
    const found = new Set<number>();
    for (let part = 0; part < PARTS; part++) {
      const { starts, positions } = this.parts[part] as Buckets;
      const own = partOf(high, low, part);
      for (const mask of PART_MASKS) {
        const bucket = own ^ mask;
        const end = starts[bucket + 1] as number;
        for (let place = starts[bucket] as number; place < end; place++) {
          const at = positions[place] as number;
          const differ = bitCount(high ^ (hashes.high[at] as number), low ^ (hashes.low[at] as number));
          if (differ <= SUSPECT_BITS) found.add(at);
        }
      }
    }
    return [...found].sort((a, b) => a - b);
  }
}

function partOf(high: number, low: number, part: number): number {
  const word = part < PARTS / 2 ? high : low;
  return part % 2 === 0 ? word >>> PART_BITS : word & (2 ** PART_BITS - 1);
}

/** All values of a part with at most so many bits set. */
function masksUpTo(bits: number): Uint32Array {
  const all = Uint32Array.from({ length: 2 ** PART_BITS }, (_, value) => value);
  return all.filter((value) => bitCount(0, value) <= bits);
}

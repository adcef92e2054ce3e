const FEWEST_BITS = 4;
const MOST_BITS = 22;

/** Bits of a bucket's number so that about one of `count` entries is in each. */
export const bucketBits = (count: number): number =>
  Math.min(MOST_BITS, Math.max(FEWEST_BITS, Math.ceil(Math.log2(Math.max(1, count)))));

/** Positions by the bucket that each is in: a counting sort, whose arrays are used again for the next one. */
export class Buckets {
  /** Where a bucket begins in `positions`; one more than there are buckets. */
  readonly starts: Uint32Array;
  /** Of a bucket in ascending order. */
  readonly positions: Int32Array;

  constructor(count: number, buckets: number) {
    this.starts = new Uint32Array(buckets + 1);
    this.positions = new Int32Array(count);
  }

  /** @param bucketOf the number of the bucket of a position */
  fill(bucketOf: Uint32Array): void {
    const { starts, positions } = this;
    starts.fill(0);
    for (let at = 0; at < bucketOf.length; at++) {
      const bucket = bucketOf[at] as number;
      starts[bucket] = (starts[bucket] as number) + 1;
    }
    let end = 0;
    for (let bucket = 0; bucket < starts.length; bucket++) {
      end += starts[bucket] as number;
      starts[bucket] = end;
    }
    for (let at = bucketOf.length - 1; at >= 0; at--) {
      const bucket = bucketOf[at] as number;
      const start = (starts[bucket] as number) - 1;
      starts[bucket] = start;
      positions[start] = at;
    }
  }

  /** Call with start and end in `positions` for each bucket that has several. */
  forEachRun(work: (start: number, end: number) => void): void {
    const { starts } = this;
    let start = 0;
    for (let bucket = 1; bucket < starts.length; bucket++) {
      const end = starts[bucket] as number;
      if (end - start > 1) work(start, end);
      start = end;
    }
  }
}

/** Two numbers of 32 bits as one of `bits`, spread evenly (the finaliser of MurmurHash3 behind two multiplications). */
export function mixed(a: number, b: number, bits: number): number {
  let value = Math.imul(a, 0x9e3779b1) ^ Math.imul(b ^ (b >>> 15), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> (32 - bits);
}

import type { IndexRow } from '../tables.js';

/** Bits in which two difference hashes of copies (other size, quality, format) may differ. */
export const COPY_BITS = 4;
/** The same for two pictures of one vehicle: that they show the same thing is likely to begin with. */
export const SAME_VEHICLE_BITS = 12;
/** Bits within which a training image counts as a copy of a test image. */
export const TEST_COPY_BITS = 2;

const BITS = 64;

type Hashed = Pick<IndexRow, 'imageId' | 'perceptualHash' | 'vehicleId'>;

/**
 * Group near duplicates: copies by perceptual hash, and pictures of one vehicle that differ little. Linear in practice:
 * two hashes within k bits agree in at least one of k + 1 bands, so only hashes sharing a band are compared.
 *
 * @returns image id -> cluster id, the smallest image id of its group
 */
export function nearDuplicateClusters(rows: readonly Hashed[]): Map<string, string> {
  const sets = new DisjointSets(rows.length);
  const indicesByHash = groupIndices(rows, (row) => row.perceptualHash);
  for (const [first, ...others] of indicesByHash.values()) {
    for (const other of others) sets.join(first as number, other);
  }

  const representatives = [...indicesByHash.values()].map((indices) => indices[0] as number);
  const hashes = representatives.map((index) => parseHash((rows[index] as Hashed).perceptualHash));
  const byBand = new BandIndex(hashes, COPY_BITS);
  hashes.forEach((hash, position) => {
    for (const near of byBand.within(hash))
      sets.join(representatives[position] as number, representatives[near] as number);
  });

  for (const [vehicle, indices] of groupIndices(rows, (row) => row.vehicleId)) {
    if (vehicle === null) continue;
    const own = indices.map((index) => parseHash((rows[index] as Hashed).perceptualHash));
    for (let a = 0; a < indices.length; a++) {
      for (let b = a + 1; b < indices.length; b++) {
        if (distance(own[a] as Hash, own[b] as Hash) <= SAME_VEHICLE_BITS)
          sets.join(indices[a] as number, indices[b] as number);
      }
    }
  }
  return nameClusters(rows, sets);
}

/** A test whether a hash is a copy of any of `hashes`, at most `bits` bits away. */
export function copyDetector(hashes: readonly string[], bits = TEST_COPY_BITS): (hash: string) => boolean {
  const index = new BandIndex([...new Set(hashes)].map(parseHash), bits);
  return (hash) => {
    for (const _ of index.within(parseHash(hash))) return true;
    return false;
  };
}

/** Number of differing bits of two hashes of 16 hex digits. */
export function hashDistance(a: string, b: string): number {
  return distance(parseHash(a), parseHash(b));
}

type Hash = readonly [high: number, low: number];

function parseHash(hex: string): Hash {
  return [Number.parseInt(hex.slice(0, 8), 16), Number.parseInt(hex.slice(8), 16)];
}

function distance(a: Hash, b: Hash): number {
  return bitCount(a[0] ^ b[0]) + bitCount(a[1] ^ b[1]);
}

function bitCount(word: number): number {
  let v = word - ((word >>> 1) & 0x55555555);
  v = (v & 0x33333333) + ((v >>> 2) & 0x33333333);
  return Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** Multi-index hashing (Norouzi et al., arXiv 1307.2982): one table a band of bits. */
class BandIndex {
  readonly #bands: readonly { start: number; length: number; table: Map<number, number[]> }[];
  readonly #hashes: readonly Hash[];
  readonly #bits: number;

  constructor(hashes: readonly Hash[], bits: number) {
    this.#hashes = hashes;
    this.#bits = bits;
    this.#bands = Array.from({ length: bits + 1 }, (_, band) => {
      const start = Math.floor((band * BITS) / (bits + 1));
      const length = Math.floor(((band + 1) * BITS) / (bits + 1)) - start;
      const table = new Map<number, number[]>();
      hashes.forEach((hash, position) => {
        const key = bandOf(hash, start, length);
        const bucket = table.get(key);
        if (bucket === undefined) table.set(key, [position]);
        else bucket.push(position);
      });
      return { start, length, table };
    });
  }

  /** Positions of the hashes within the distance, the hash itself included where it is known; some come twice. */
  *within(hash: Hash): Generator<number> {
    for (const { start, length, table } of this.#bands) {
      for (const position of table.get(bandOf(hash, start, length)) ?? []) {
        if (distance(hash, this.#hashes[position] as Hash) <= this.#bits) yield position;
      }
    }
  }
}

/** `length` (at most 31) bits from bit `start`, counted from the most significant. */
function bandOf([high, low]: Hash, start: number, length: number): number {
  let value = 0;
  for (let bit = start; bit < start + length; bit++) {
    value = (value << 1) | ((bit < 32 ? high >>> (31 - bit) : low >>> (63 - bit)) & 1);
  }
  return value;
}

class DisjointSets {
  readonly #parent: Int32Array;

  constructor(size: number) {
    this.#parent = Int32Array.from({ length: size }, (_, index) => index);
  }

  root(index: number): number {
    let root = index;
    while (this.#parent[root] !== root) root = this.#parent[root] as number;
    for (let step = index; step !== root; ) {
      const next = this.#parent[step] as number;
      this.#parent[step] = root;
      step = next;
    }
    return root;
  }

  join(a: number, b: number): void {
    this.#parent[this.root(a)] = this.root(b);
  }
}

function nameClusters(rows: readonly Hashed[], sets: DisjointSets): Map<string, string> {
  const smallest = new Map<number, string>();
  rows.forEach(({ imageId }, index) => {
    const root = sets.root(index);
    const known = smallest.get(root);
    if (known === undefined || imageId < known) smallest.set(root, imageId);
  });
  return new Map(rows.map(({ imageId }, index) => [imageId, smallest.get(sets.root(index)) as string]));
}

function groupIndices<K>(rows: readonly Hashed[], keyOf: (row: Hashed) => K): Map<K, number[]> {
  const groups = new Map<K, number[]>();
  rows.forEach((row, index) => {
    const key = keyOf(row);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [index]);
    else group.push(index);
  });
  return groups;
}

import type { IndexRow } from '../tables.js';
import { DisjointSets } from './disjointSets.js';
import { joinWithin } from './hammingJoin.js';
import { distance, HASH_BITS, type Hash, parseHash } from './perceptualHash.js';

/** Bits in which two difference hashes of copies (other size, quality, format) may differ. */
export const COPY_BITS = 4;
/** The same for two pictures of one vehicle, which are more likely to show the same thing. */
export const SAME_VEHICLE_BITS = 12;
/** Bits within which a training image counts as a copy of a test image. */
export const TEST_COPY_BITS = 2;

type Hashed = Pick<IndexRow, 'imageId' | 'perceptualHash' | 'vehicleId'>;

/**
 * Group near duplicates: copies by perceptual hash, and pictures of one vehicle that differ little.
 *
 * @returns image id -> cluster id, the smallest image id of its group
 */
export function nearDuplicateClusters(rows: readonly Hashed[]): Map<string, string> {
  const firstOf = new Map<string, number>();
  rows.forEach(({ perceptualHash }, index) => {
    if (!firstOf.has(perceptualHash)) firstOf.set(perceptualHash, index);
  });
  const copies = joinWithin([...firstOf.keys()], COPY_BITS);
  const firsts = Int32Array.from(firstOf.values());
  const sets = new DisjointSets(rows.length);
  rows.forEach(({ perceptualHash }, index) => {
    sets.join(index, firstOf.get(perceptualHash) as number);
  });
  firsts.forEach((first, position) => {
    sets.join(first, firsts[copies.root(position)] as number);
  });
  for (const indices of groupByVehicle(rows).values()) joinVehicle(indices, rows, sets);
  return nameClusters(rows, sets);
}

function joinVehicle(indices: readonly number[], rows: readonly Hashed[], sets: DisjointSets): void {
  const hashes = indices.map((index) => parseHash((rows[index] as Hashed).perceptualHash));
  for (let a = 0; a < indices.length; a++) {
    for (let b = a + 1; b < indices.length; b++) {
      if (distance(hashes[a] as Hash, hashes[b] as Hash) <= SAME_VEHICLE_BITS)
        sets.join(indices[a] as number, indices[b] as number);
    }
  }
}

/** Tests whether a hash is at most `bits` bits away from any of `hashes`. */
export function copyDetector(hashes: readonly string[], bits = TEST_COPY_BITS): (hash: string) => boolean {
  const index = new BandIndex([...new Set(hashes)].map(parseHash), bits);
  return (hash) => {
    for (const _ of index.within(parseHash(hash))) return true;
    return false;
  };
}

/** Multi-index hashing (Norouzi et al., arXiv 1307.2982): one table per band of bits. */
class BandIndex {
  readonly #bands: readonly { start: number; length: number; table: Map<number, number[]> }[];
  readonly #hashes: readonly Hash[];
  readonly #bits: number;

  constructor(hashes: readonly Hash[], bits: number) {
    this.#hashes = hashes;
    this.#bits = bits;
    this.#bands = Array.from({ length: bits + 1 }, (_, band) => {
      const start = Math.floor((band * HASH_BITS) / (bits + 1));
      const length = Math.floor(((band + 1) * HASH_BITS) / (bits + 1)) - start;
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

  /** Positions of the hashes within the distance, including the hash itself if it is known; some come twice. */
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

function nameClusters(rows: readonly Hashed[], sets: DisjointSets): Map<string, string> {
  const smallest = new Map<number, string>();
  rows.forEach(({ imageId }, index) => {
    const root = sets.root(index);
    const known = smallest.get(root);
    if (known === undefined || imageId < known) smallest.set(root, imageId);
  });
  return new Map(rows.map(({ imageId }, index) => [imageId, smallest.get(sets.root(index)) as string]));
}

function groupByVehicle(rows: readonly Hashed[]): Map<string, number[]> {
  const groups = new Map<string, number[]>();
  rows.forEach(({ vehicleId }, index) => {
    if (vehicleId === null) return;
    const group = groups.get(vehicleId);
    if (group === undefined) groups.set(vehicleId, [index]);
    else group.push(index);
  });
  return groups;
}

import type { IndexRow } from '../tables.js';
import { Buckets } from './buckets.js';
import { DisjointSets } from './disjointSets.js';
import { joinWithin, RunJoiner } from './hammingJoin.js';
import { distinctHashes, type Hashes, hashColumns, pickHashes } from './perceptualHash.js';

/** Bits in which two difference hashes of copies (other size, quality, format) may differ. */
export const COPY_BITS = 4;
/** The same for two pictures of one vehicle, which are more likely to show the same thing. */
export const SAME_VEHICLE_BITS = 12;

type Hashed = Pick<IndexRow, 'imageId' | 'perceptualHash' | 'vehicleId'>;

/** Images by column, as far as their groups depend on it. */
export interface HashedColumns extends Hashes {
  /** The number of the vehicle; -1 where it is unknown. */
  readonly vehicle: Int32Array;
}

/**
 * Group near duplicates: copies by perceptual hash, and pictures of one vehicle that differ little.
 *
 * @returns for each position the first one of its group
 */
export function nearDuplicateGroups(images: HashedColumns): Int32Array {
  const count = images.high.length;
  const { firsts, numbers } = distinctHashes(images);
  const copies = joinWithin(pickHashes(images, firsts), COPY_BITS);
  const sets = new DisjointSets(count);
  for (let at = 0; at < count; at++) sets.join(firsts[copies.root(numbers[at] as number)] as number, at);
  new RunJoiner(images, SAME_VEHICLE_BITS, sets).joinRuns(byVehicle(images.vehicle));
  const first = new Int32Array(count).fill(-1);
  return Int32Array.from({ length: count }, (_, at) => {
    const root = sets.root(at);
    if (first[root] === -1) first[root] = at;
    return first[root] as number;
  });
}

/**
 * The same of rows.
 *
 * @returns image id -> cluster id, the smallest image id of its group
 */
export function nearDuplicateClusters(rows: readonly Hashed[]): Map<string, string> {
  const sorted = rows.toSorted((a, b) => (a.imageId < b.imageId ? -1 : a.imageId > b.imageId ? 1 : 0));
  const vehicles = new Map<string, number>();
  const vehicle = Int32Array.from(sorted, ({ vehicleId }) => numberOf(vehicleId, vehicles));
  const groups = nearDuplicateGroups({ ...hashColumns(sorted.map((row) => row.perceptualHash)), vehicle });
  return new Map(sorted.map(({ imageId }, at) => [imageId, (sorted[groups[at] as number] as Hashed).imageId]));
}

/** The number of a vehicle, a new one for a vehicle that is not known yet; -1 for none. */
export function numberOf(vehicleId: string | null, known: Map<string, number>): number {
  if (vehicleId === null) return -1;
  const number = known.get(vehicleId) ?? known.size;
  if (number === known.size) known.set(vehicleId, number);
  return number;
}

/** Positions by vehicle; each that has none is alone. */
function byVehicle(vehicle: Int32Array): Buckets {
  let vehicles = 0;
  for (let at = 0; at < vehicle.length; at++) vehicles = Math.max(vehicles, (vehicle[at] as number) + 1);
  let alone = vehicles;
  const buckets = Uint32Array.from(vehicle, (number) => (number < 0 ? alone++ : number));
  const runs = new Buckets(vehicle.length, alone);
  runs.fill(buckets);
  return runs;
}

import { hashDistance } from '../../domain/draw/perceptualHash.js';
import { likeness } from '../../domain/draw/samePicture.js';
import type { Look, Original } from './pictures.js';

/** Two pictures beside each other. */
export interface Pair {
  names: [string, string];
  bits: number;
  likeness: number;
}

/** Limits: bits of the hash within which pictures are compared, and the least likeness of one picture. */
export interface Limits {
  bits: number;
  likeness: number;
}

export const isFound = (pair: Pair, limits: Limits): boolean =>
  pair.bits <= limits.bits && pair.likeness >= limits.likeness;

export const share = (pairs: readonly Pair[], holds: (pair: Pair) => boolean): number =>
  pairs.filter(holds).length / pairs.length;

/** Each picture beside its copy by one change. */
export const copyPairs = (pictures: readonly Original[], change: string): Pair[] =>
  pictures.map((original) => pairOf(original, { ...(original.copies[change] as Look), name: change }));

/** Pairs at one size of pictures that are no copies: of different vehicles as far as known, and of one vehicle. */
export function otherPairs(pictures: readonly Original[]): { different: Pair[]; sameVehicle: Pair[] } {
  const pairs = { different: [] as Pair[], sameVehicle: [] as Pair[] };
  for (const [index, one] of pictures.entries())
    for (const other of pictures.slice(index + 1)) {
      if (one.set !== other.set || one.size !== other.size) continue;
      const isSame = one.vehicle !== null && one.vehicle === other.vehicle;
      pairs[isSame ? 'sameVehicle' : 'different'].push(pairOf(one, other));
    }
  return pairs;
}

type Named = Look & { name: string };

const pairOf = (a: Named, b: Named): Pair => ({
  names: [a.name, b.name],
  bits: hashDistance(a.perceptualHash, b.perceptualHash),
  likeness: likeness(a.thumbnail, b.thumbnail),
});

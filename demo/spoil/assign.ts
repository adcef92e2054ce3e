import { shuffle } from '../../domain/base/random.js';
import { SPOIL_KINDS, SPOIL_SHARES, SPOILED_SHARE, type SpoilKind } from './truth.js';

/** Number of `images` labels to spoil in each way: shares are exact to within one (largest remainders). */
export function spoilCounts(images: number): Record<SpoilKind, number> {
  const total = Math.round(images * SPOILED_SHARE);
  const counts: Record<SpoilKind, number> = {
    missing_part: 0,
    wrong_class: 0,
    swapped: 0,
    mirrored: 0,
    shifted: 0,
    bad_outline: 0,
  };
  for (const kind of SPOIL_KINDS) counts[kind] = Math.floor(total * SPOIL_SHARES[kind] + 1e-9);
  const rest = (kind: SpoilKind): number => total * SPOIL_SHARES[kind] - counts[kind];
  for (let left = total - Object.values(counts).reduce((a, b) => a + b, 0); left > 0; left--) {
    const neediest = SPOIL_KINDS.reduce((best, kind) => (rest(kind) > rest(best) ? kind : best));
    counts[neediest] += 1;
  }
  return counts;
}

/**
 * Spoils as many labels as `spoilCounts` says. `attempt` tries one image and says whether its label allowed that kind;
 * one that did not is skipped for that kind. Kinds that few labels allow come first.
 */
export function assignSpoils(
  images: number,
  random: () => number,
  attempt: (image: number, kind: SpoilKind) => boolean,
): void {
  const counts = spoilCounts(images);
  const free = new Set(
    shuffle(
      Array.from({ length: images }, (_, index) => index),
      random,
    ),
  );
  for (const kind of [...SPOIL_KINDS].reverse()) {
    for (const image of [...free]) {
      if (counts[kind] === 0) break;
      if (!attempt(image, kind)) continue;
      free.delete(image);
      counts[kind] -= 1;
    }
  }
}

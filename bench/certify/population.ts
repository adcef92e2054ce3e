import { seededRandom } from '../../domain/base/random.js';

/** An image whose truth is known. */
export interface Truth {
  id: string;
  /** The scan's probability. */
  p: number;
  wrong: boolean;
}

/**
 * good, fair: probabilities from two normal distributions, AUROC 0.98 and 0.84, calibrated; uninformative: the same for
 * both; reversed: the fair ones the wrong way round; low: the fair ones with log odds lowered by 1.5, so that about a
 * third of the real share is claimed.
 */
export const QUALITIES = ['good', 'fair', 'low', 'uninformative', 'reversed'] as const;
export type Quality = (typeof QUALITIES)[number];

/** Distances of the distributions, in standard deviations. */
const APART = { good: 2.8, fair: 1.4, low: 1.4, uninformative: 0, reversed: 1.4 };
const LOWERED = 1.5;
/** Standard deviation of log odds that tell nothing. */
const SPREAD = 1.4;

/** A made-up population of which `share` are wrong, exactly. */
export function madeUp(images: number, share: number, quality: Quality, seed: number): Truth[] {
  const random = seededRandom('certify', quality, images, share, seed);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const wrongOnes = Math.round(images * share);
  const prior = Math.log(share / (1 - share));
  const apart = APART[quality];
  return Array.from({ length: images }, (_, at) => {
    const wrong = at < wrongOnes;
    const seen = quality === 'reversed' ? !wrong : wrong;
    const told = apart === 0 ? SPREAD * normal() : apart * (normal() + (seen ? apart : 0)) - (apart * apart) / 2;
    const logOdds = prior + told - (quality === 'low' ? LOWERED : 0);
    return { id: `${seed}:${at}`, p: 1 / (1 + Math.exp(-logOdds)), wrong };
  });
}

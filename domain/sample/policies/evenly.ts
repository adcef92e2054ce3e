import { shuffle } from '../../base/random.js';
import { round6 } from '../../base/round.js';
import type { SamplePolicy } from './policy.js';
import { proportionalPicks } from './pps.js';

/** A simple random sample: every candidate has the same chance. */
export const evenly: SamplePolicy = (request) => {
  const candidates = shuffle(request.candidates, request.random('order'));
  const ids = candidates.map(({ imageId }) => imageId);
  const sizes = ids.map(() => 1);
  const { picked, probabilities } = proportionalPicks(ids, sizes, request);
  return {
    picked,
    rated: candidates.map(({ imageId, hardness, pMislabelled }, index) => ({
      imageId,
      probability: probabilities[index] ?? 0,
      why: () => 'at random',
      need: 1,
      tagNeed: 0,
      hardness: round6((hardness ?? 0) * (1 - pMislabelled)),
      rarity: 1,
    })),
  };
};

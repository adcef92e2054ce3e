import { round6 } from '../../base/round.js';
import type { SamplePolicy } from './policy.js';
import { proportionalPicks } from './pps.js';

/** Every candidate with the same chance. */
export const evenly: SamplePolicy = (request) => {
  const ids = request.candidates.map(({ imageId }) => imageId);
  const { picked, probabilities } = proportionalPicks(
    ids,
    ids.map(() => 1),
    // In order of image id, thus of a hash: a systematic sample of it is as good as a random one.
    request,
  );
  return {
    picked,
    rated: request.candidates.map(({ imageId, hardness, pMislabelled }, index) => ({
      imageId,
      probability: probabilities[index] ?? 0,
      why: 'at random',
      need: 1,
      tagNeed: 0,
      hardness: round6((hardness ?? 0) * (1 - pMislabelled)),
      rarity: 1,
    })),
  };
};

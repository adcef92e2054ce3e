import { seededRandom, shuffle } from '../base/random.js';

/**
 * The images of an iteration's chunk in a random order that regards nothing of them: the first ones, however many, are
 * a simple random sample.
 */
export function randomOrder(imageIds: readonly string[], seed: number, iteration: number): string[] {
  return shuffle(imageIds.toSorted(), seededRandom(seed, iteration, 'sample', 'comparison'));
}

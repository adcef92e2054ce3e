import type { PolicyRequest } from './policy.js';

/**
 * Inclusion probabilities proportional to size that sum to `count`, each at most 1: values above 1 are set to 1 and the
 * rest is scaled again, until none exceeds 1 (Tillé, Sampling Algorithms, 2006, §2.10). Sizes must be above 0.
 */
export function inclusionProbabilities(sizes: readonly number[], count: number): number[] {
  if (count >= sizes.length) return sizes.map(() => 1);
  const certain = new Set<number>();
  for (;;) {
    const total = sizes.reduce((sum, size, index) => (certain.has(index) ? sum : sum + size), 0);
    const factor = (count - certain.size) / total;
    const exceeding = sizes.flatMap((size, index) => (!certain.has(index) && size * factor >= 1 ? [index] : []));
    if (exceeding.length === 0) return sizes.map((size, index) => (certain.has(index) ? 1 : size * factor));
    for (const index of exceeding) certain.add(index);
  }
}

/**
 * Systematic sampling (Madow 1949): one random start in [0, 1), then every unit of cumulated probability picks one. The
 * order of the items matters: neighbours in order are rarely picked together, so sorting by a property stratifies by
 * it.
 *
 * @returns `count` indices, ascending
 */
export function systematicPick(probabilities: readonly number[], count: number, start: number): number[] {
  const picks: number[] = [];
  let cumulated = 0;
  probabilities.forEach((probability, index) => {
    cumulated += probability;
    // The probabilities sum to `count` but for rounding: the last step is taken at the last item at the latest.
    const isLastChance = probabilities.length - index <= count - picks.length;
    if (picks.length < count && (cumulated > start + picks.length || isLastChance)) picks.push(index);
  });
  return picks;
}

/**
 * Picks of a policy with probability proportional to size: a systematic sample of those outside the reserve, in the
 * given order, and the probabilities over all.
 *
 * @param sizes above 0, one per id
 */
export function proportionalPicks(
  ids: readonly string[],
  sizes: readonly number[],
  { reserve, count, alone, random }: Pick<PolicyRequest, 'reserve' | 'count' | 'alone' | 'random'>,
): { picked: string[]; probabilities: number[] } {
  const rest = [...ids.keys()].filter((index) => !reserve.has(ids[index] as string));
  const ofRest = inclusionProbabilities(
    rest.map((index) => sizes[index] as number),
    count,
  );
  return {
    picked: systematicPick(ofRest, count, random('start')()).map((at) => ids[rest[at] as number] as string),
    probabilities: inclusionProbabilities(sizes, alone),
  };
}

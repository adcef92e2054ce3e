import type { NeedCandidate } from '../../../domain/sample/policies/need.js';

/**
 * Repeat factors of images (LVIS, arXiv 1908.03195): the largest over an image's classes of max(1, sqrt(t / f)), f the
 * share of images that show the class, with t the median f, so that half of the classes count as rare.
 */
export function repeatFactors(candidates: readonly Pick<NeedCandidate, 'imageId' | 'classes'>[]): Map<string, number> {
  const shown = new Map<number, number>();
  for (const { classes } of candidates) for (const label of classes) shown.set(label, (shown.get(label) ?? 0) + 1);
  const counts = [...shown.values()].sort((a, b) => a - b);
  const median = counts[counts.length >> 1] ?? 1;
  return new Map(
    candidates.map(({ imageId, classes }) => [
      imageId,
      Math.max(1, ...classes.map((label) => Math.sqrt(median / (shown.get(label) ?? median)))),
    ]),
  );
}

import { TAG_NAMES, type Tags } from '../../tags.js';
import { QUARANTINE } from './thresholds.js';

/** An image that is a candidate for quarantine. */
export interface QuarantineCandidate {
  index: number;
  probability: number;
  tags: Tags | undefined;
  /** Class of its strongest finding; null if it has none. */
  classId: number | null;
}

export interface QuarantineLimits {
  /** All judged images of the chunk with their tags and classes: the basis of rates. */
  population: readonly { tags: Tags | undefined; classes: readonly number[] }[];
  quarantineAt: number;
  quarantineCap: number;
}

/**
 * The lowest threshold at which the images over it are expected to be wrong with this precision: the mean of their
 * calibrated probabilities reaches it. Above 1, so that nothing is set aside, if even the most suspect image is below
 * it.
 */
export function thresholdForPrecision(probabilities: readonly number[], precision: number): number {
  const sorted = [...probabilities].sort((a, b) => b - a);
  let sum = 0;
  let threshold = Number.POSITIVE_INFINITY;
  sorted.forEach((probability, index) => {
    sum += probability;
    if (sum / (index + 1) >= precision && sorted[index + 1] !== probability) threshold = probability;
  });
  return threshold;
}

/**
 * The images to set aside: the most suspect first, at most `quarantineCap` of the chunk, and of each tag value and
 * class at most twice the share of the whole, so that hard or rare images do not vanish from training. The other images
 * over the threshold are overflow: they go to review and stay in training.
 */
export function chooseQuarantine(
  candidates: readonly QuarantineCandidate[],
  limits: QuarantineLimits,
): { chosen: Set<number>; overflow: number } {
  const suspects = candidates
    .filter(({ probability }) => probability >= limits.quarantineAt)
    .sort((a, b) => b.probability - a.probability || a.index - b.index);
  const total = limits.population.length;
  const most = Math.floor(limits.quarantineCap * total);
  const rate = total === 0 ? 0 : Math.min(suspects.length, most) / total;
  const sizes = new Map<string, number>();
  for (const member of limits.population) {
    for (const group of [...tagGroups(member.tags), ...member.classes.map((value) => `class=${value}`)])
      sizes.set(group, (sizes.get(group) ?? 0) + 1);
  }
  const taken = new Map<string, number>();
  const chosen = new Set<number>();
  for (const suspect of suspects) {
    if (chosen.size >= most) break;
    const groups = [...tagGroups(suspect.tags), ...(suspect.classId === null ? [] : [`class=${suspect.classId}`])];
    const full = groups.some(
      (group) =>
        (taken.get(group) ?? 0) >=
        Math.max(QUARANTINE.always, Math.ceil(QUARANTINE.mostOften * rate * (sizes.get(group) ?? 0))),
    );
    if (full) continue;
    chosen.add(suspect.index);
    for (const group of groups) taken.set(group, (taken.get(group) ?? 0) + 1);
  }
  return { chosen, overflow: suspects.length - chosen.size };
}

function tagGroups(tags: Tags | undefined): string[] {
  if (tags === undefined) return [];
  return TAG_NAMES.flatMap((name) => (tags[name] === null ? [] : [`${name}=${tags[name]}`]));
}

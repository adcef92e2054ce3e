import type { JudgedImage } from '../calibrate/calibrate.js';
import { DUPLICATES } from './thresholds.js';

/**
 * Indices of images whose label contradicts that of a near duplicate: the model sees nearly the same parts in both
 * (Jaccard index of the class sets), the labels name different ones. Of each such pair the more suspect image is
 * returned. Only neighbours within a cluster are compared pair by pair, so that large clusters stay cheap.
 */
export function duplicateConflicts(images: readonly JudgedImage[]): Set<number> {
  const clusters = new Map<string, number[]>();
  images.forEach(({ entry }, index) => {
    if (entry.cluster === undefined) return;
    const members = clusters.get(entry.cluster);
    if (members === undefined) clusters.set(entry.cluster, [index]);
    else members.push(index);
  });
  const found = new Set<number>();
  for (const members of clusters.values()) {
    for (let at = 1; at < members.length; at++) {
      const [first, second] = [members[at - 1] as number, members[at] as number];
      const a = images[first] as JudgedImage;
      const b = images[second] as JudgedImage;
      if (jaccard(a.analysis.predictedClasses, b.analysis.predictedClasses) < DUPLICATES.seenAlike) continue;
      if (jaccard(a.analysis.labelledClasses, b.analysis.labelledClasses) >= DUPLICATES.labelledAlike) continue;
      found.add(b.pMislabelled > a.pMislabelled ? second : first);
    }
  }
  return found;
}

function jaccard(a: readonly number[], b: readonly number[]): number {
  const inA = new Set(a);
  const both = b.filter((value) => inA.has(value)).length;
  const either = a.length + b.length - both;
  return either === 0 ? 1 : both / either;
}

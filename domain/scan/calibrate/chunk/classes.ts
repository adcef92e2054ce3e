import { median } from '../../../base/median.js';
import { own } from '../../../base/own.js';
import { round6 } from '../../../base/round.js';
import type { Taxonomy } from '../../../taxonomy.js';
import type { ClassIouByName, ReduceEntry } from '../../types.js';
import { UNKNOWN_CLASS } from '../thresholds.js';

/** The whole scan's results for each label value (index; 0 is background). */
export interface ClassKnowledge {
  /** Mean probability of the class over pixels labelled so (confident learning, Northcutt et al. 2021). */
  threshold: number;
  /** IoU of label and prediction summed over the scan; null if the class occurs nowhere. */
  iou: number | null;
  /** Median share of the picture that the class covers in images that have it; null if there are none. */
  typicalArea: number | null;
}

export function learnClasses(entries: readonly ReduceEntry[], taxonomy: Taxonomy): ClassKnowledge[] {
  const size = taxonomy.classes.length + 1;
  const pixels = new Float64Array(size);
  const own = new Float64Array(size);
  const both = new Float64Array(size);
  const either = new Float64Array(size);
  const areas = Array.from({ length: size }, (): number[] => []);
  for (const { analysis } of entries) {
    if (analysis === null) continue;
    eachTriple(analysis.selfConfidence, (value, count, sum) => {
      pixels[value] = (pixels[value] as number) + count;
      own[value] = (own[value] as number) + sum;
      areas[value]?.push(count / (analysis.width * analysis.height));
    });
    eachTriple(analysis.classCounts, (value, intersection, union) => {
      both[value] = (both[value] as number) + intersection;
      either[value] = (either[value] as number) + union;
    });
  }
  return Array.from({ length: size }, (_, value) => ({
    threshold:
      (pixels[value] as number) === 0 ? UNKNOWN_CLASS.threshold : (own[value] as number) / (pixels[value] as number),
    iou: (either[value] as number) === 0 ? null : (both[value] as number) / (either[value] as number),
    typicalArea: median(areas[value] ?? []),
  }));
}

/**
 * Whether a model may judge each label value: its validation IoU, or the IoU over the scanned images (held out too, and
 * many more of them than a small validation set has), reaches `minClassIou`.
 */
export function judgedClasses(
  taxonomy: Taxonomy,
  scan: readonly ClassKnowledge[],
  validation: ClassIouByName | null,
  minClassIou: number,
): boolean[] {
  return [
    true,
    ...taxonomy.classes.map(
      (entry, index) =>
        Math.max((validation === null ? null : own(validation, entry.name)) ?? 0, scan[index + 1]?.iou ?? 0) >=
        minClassIou,
    ),
  ];
}

export function eachTriple(
  triples: readonly number[],
  visit: (value: number, second: number, third: number) => void,
): void {
  for (let at = 0; at + 2 < triples.length; at += 3)
    visit(triples[at] as number, triples[at + 1] as number, triples[at + 2] as number);
}

/**
 * Mean IoU of label and prediction over the classes in either, minor parts weighted by `minorWeight`, of one image; and
 * each class's. `leftOut` are triples of regions that do not count; a class with fewer than `minUnion` pixels left does
 * not count either.
 */
export function imageIou(
  classCounts: readonly number[],
  leftOut: readonly (readonly number[])[],
  taxonomy: Taxonomy,
  minUnion: number,
  minorWeight: number,
): { mean: number; byClass: Record<string, number> } {
  const counts = new Map<number, [number, number]>();
  eachTriple(classCounts, (value, intersection, union) => counts.set(value, [intersection, union]));
  for (const triples of leftOut) {
    eachTriple(triples, (value, intersection, union) => {
      const have = counts.get(value);
      if (have === undefined) return;
      have[0] = Math.max(0, have[0] - intersection);
      have[1] = Math.max(have[0], have[1] - union);
    });
  }
  const byClass: Record<string, number> = {};
  let sum = 0;
  let weights = 0;
  for (const [value, [intersection, union]] of counts) {
    if (union < minUnion) continue;
    const iou = intersection / union;
    const weight = taxonomy.classes[value - 1]?.group === 'minor' ? minorWeight : 1;
    byClass[value] = round6(iou);
    sum += weight * iou;
    weights += weight;
  }
  return { mean: weights === 0 ? 1 : sum / weights, byClass };
}

import { BACKGROUND } from '../../taxonomy.js';
import type { ReduceEntry } from '../types.js';
import { INTERIOR } from './thresholds.js';

/**
 * Whether a picture without the tag `region` shows the inside of a car: hardly anything of it is labelled, and the
 * model sees hardly any part, or is unsure of what it sees. Neither is enough by itself: a forgotten label hides a car
 * that the model sees clearly, and a weak model is unsure of cars that people labelled.
 */
export function showsInterior({ tags, analysis }: Pick<ReduceEntry, 'tags' | 'analysis'>): boolean {
  if (analysis === null || (tags?.region ?? null) !== null) return false;
  const pixels = analysis.width * analysis.height;
  const labelled = sumOf(analysis.selfConfidence, ([value, given]) => (value === BACKGROUND ? 0 : given));
  const inEither = sumOf(analysis.classCounts, ([, both, union]) => both + union);
  const seen = inEither - labelled;
  return (
    labelled < INTERIOR.labelledBelow * pixels &&
    (seen < INTERIOR.seenBelow * pixels || analysis.statistics.clarity < INTERIOR.clarityBelow)
  );
}

/** The sum over flat triples. */
function sumOf(flat: readonly number[], of: (triple: [number, number, number]) => number): number {
  let sum = 0;
  for (let at = 0; at + 2 < flat.length; at += 3)
    sum += of([flat[at] as number, flat[at + 1] as number, flat[at + 2] as number]);
  return sum;
}

import type { FindingRow } from '../tables.js';
import { BACKGROUND } from '../taxonomy.js';

/** Kinds about one region; without a class its pixels are background. All other kinds concern the whole label. */
const OF_UNLABELLED_REGIONS: ReadonlySet<string> = new Set(['missing_part', 'hole', 'merged_or_split']);

export const WHOLE_LABEL = 'whole label';

/** The label of a finding's region, for people: the name of a class, or `whole label`. */
export function findingClass(
  { kind, classId }: Pick<FindingRow, 'kind' | 'classId'>,
  names: readonly string[],
): string {
  if (classId === BACKGROUND && !OF_UNLABELLED_REGIONS.has(kind)) return WHOLE_LABEL;
  return names[classId] ?? String(classId);
}

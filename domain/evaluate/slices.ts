import type { EvaluationRow } from '../tables.js';
import { compareTagValues, TAG_NAMES } from '../tags.js';

/** A subset of the test set, by name. */
export interface Slice {
  name: string;
  keep(row: EvaluationRow): boolean;
}

/** Known weak spots of part models, if their tags are known. */
export const WEAK_SPOTS: readonly Slice[] = [
  { name: 'black and reflective', keep: (row) => row.black === true && row.reflection === true },
  { name: 'damaged', keep: (row) => row.damage === '1' || row.damage === '2' },
  { name: 'zoomed', keep: (row) => row.zoomed === true },
];

/** Every value of every tag that occurs, then the weak spots that occur. */
export function slicesOf(rows: readonly EvaluationRow[]): Slice[] {
  const byTag = TAG_NAMES.flatMap((tag) => {
    const values = [...new Set(rows.map((row) => row[tag]))].filter((value) => value !== null);
    return values
      .sort(compareTagValues)
      .map((value): Slice => ({ name: `${tag}=${value}`, keep: (row) => row[tag] === value }));
  });
  return [...byTag, ...WEAK_SPOTS.filter((slice) => rows.some((row) => slice.keep(row)))];
}

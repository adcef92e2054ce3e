import { ulidTime } from '../base/ids.js';
import type { IndexRow } from '../tables.js';

/** A row that set a label of its image, and whether that was undone since. */
export interface Setter {
  row: IndexRow;
  isWithdrawn: boolean;
}

/** True for rows of reviews that are known to be undone from a source outside the rows. */
export type IsWithdrawn = (row: IndexRow) => boolean;

/** True if a review import made this row. Older rows have the import's time instead of its id. */
export const isMadeBy = ({ change, changeId, ingestedAt, labelRevision }: IndexRow, review: string): boolean =>
  change === null ? labelRevision > 0 && ingestedAt === ulidTime(review) : change === 'review' && changeId === review;

/**
 * Older rows do not record the kind of change; a later revision may be a correction, and a lost correction is worse
 * than a label that is asked for twice.
 */
export const isByPerson = ({ change, labelRevision }: IndexRow): boolean =>
  change === 'review' || (change === null && labelRevision > 0);

/** True if a row says that a review of its image was undone. */
export const isUndoOf = ({ change, changeId }: IndexRow, review: string): boolean =>
  change === 'undo' && changeId === review;

/** The row that set the label which row `at` carries: the first of `settersOf`. */
export function setterOf(rows: readonly IndexRow[], at: number, isWithdrawn?: IsWithdrawn): Setter {
  const [setter] = settersOf(rows, at, isWithdrawn);
  if (setter === undefined) throw new RangeError(`no row ${at} among ${rows.length}`);
  return setter;
}

/**
 * The row that set the label which row `at` carries, then the one that set the label below that, and so on to the first
 * row. Equal labels are told apart by their source. Tags, removals and restorations keep the label. A row that undoes a
 * review sets none: its label is that of the newest setter still valid at that time.
 *
 * @param rows all rows of one image, the oldest first
 */
export function settersOf(rows: readonly IndexRow[], at: number, isWithdrawn: IsWithdrawn = () => false): Setter[] {
  /** For each row, the row that set its label. */
  const setters: number[] = [];
  const undone: string[] = [];
  const isGone = (row: IndexRow): boolean => isWithdrawn(row) || undone.some((review) => isMadeBy(row, review));
  const below = (from: number): number[] => {
    const chain: number[] = [];
    for (let next = setters[from]; next !== undefined; next = setters[next - 1]) chain.push(next);
    return chain;
  };
  const seen = rows.slice(0, at + 1);
  for (const [index, row] of seen.entries()) {
    const hasLabel = (one: number): boolean => seen[one]?.labelSha256 === row.labelSha256;
    const before = setters[index - 1];
    if (row.change === 'undo') {
      if (row.changeId !== null) undone.push(row.changeId);
      const chain = below(index - 1);
      const standing = chain.find((one) => !isGone(seen[one] as IndexRow));
      // A review that was undone later, without a row here, was still valid at that time.
      setters.push(standing !== undefined && hasLabel(standing) ? standing : (chain.find(hasLabel) ?? index));
    } else if (before !== undefined && row.change !== 'review' && hasLabel(index - 1)) setters.push(before);
    else setters.push(index);
  }
  return below(seen.length - 1).flatMap((index) => {
    const row = seen[index];
    return row === undefined ? [] : { row, isWithdrawn: isGone(row) };
  });
}

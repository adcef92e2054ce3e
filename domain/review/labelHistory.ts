import { ulidTime } from '../base/ids.js';
import type { IndexRow } from '../tables.js';

/** A row that set a label which its image had, and whether that was taken back since. */
export interface Setter {
  row: IndexRow;
  isWithdrawn: boolean;
}

/** True for rows of reviews that are known to be taken back from elsewhere than the rows. */
export type IsWithdrawn = (row: IndexRow) => boolean;

/** True where a review import made this row. Rows of before that was written down have the import's time instead. */
export const isMadeBy = ({ change, changeId, ingestedAt, labelRevision }: IndexRow, review: string): boolean =>
  change === null ? labelRevision > 0 && ingestedAt === ulidTime(review) : change === 'review' && changeId === review;

/**
 * Rows of before changes were written down do not say; a later revision may well be a correction, and one lost is worse
 * than a label asked for twice.
 */
export const isByPerson = ({ change, labelRevision }: IndexRow): boolean =>
  change === 'review' || (change === null && labelRevision > 0);

/** True where a row says that a review of its image was taken back. */
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
 * row. Equal labels are told apart by who gave them. Tags, removals and restorations carry a label on. A row that takes
 * a review back sets none: its label is that of the newest setter which stood then.
 *
 * @param rows all rows of one image, the oldest first
 */
export function settersOf(rows: readonly IndexRow[], at: number, isWithdrawn: IsWithdrawn = () => false): Setter[] {
  /** By row, which row set its label. */
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
      // What was taken back later without a row here was not passed over at that time.
      setters.push(standing !== undefined && hasLabel(standing) ? standing : (chain.find(hasLabel) ?? index));
    } else if (before !== undefined && row.change !== 'review' && hasLabel(index - 1)) setters.push(before);
    else setters.push(index);
  }
  return below(seen.length - 1).flatMap((index) => {
    const row = seen[index];
    return row === undefined ? [] : { row, isWithdrawn: isGone(row) };
  });
}

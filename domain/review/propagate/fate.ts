import type { FindingRow, IndexRow } from '../../tables.js';

/** Whether a proposal may still be applied, or why not. */
export type Fate = 'open' | 'removed' | 'test' | 'redrawn';

/**
 * The fate of a proposal by all rows of its image, the oldest first. A label that the scan did not judge is left alone:
 * somebody redrew it, or an import brought another. Accepted proposals, and those that follow from answers, are no
 * redrawing, as they change nothing outside their masks; `isTable` knows such reviews by their ids.
 */
export function fateOf(
  { labelSha256 }: Pick<FindingRow, 'labelSha256'>,
  rows: readonly IndexRow[],
  isTable: (review: string) => boolean,
): Fate {
  const newest = rows.at(-1);
  if (newest === undefined || newest.removedAt !== null) return 'removed';
  if (newest.split === 'test') return 'test';
  const judged = rows.findLastIndex((row) => row.labelSha256 === labelSha256);
  if (judged < 0) return 'redrawn';
  const isKept = rows.slice(judged + 1).every((row, index) => {
    if (row.labelSha256 === rows[judged + index]?.labelSha256 || row.change === 'undo') return true;
    return row.change === 'review' && row.changeId !== null && isTable(row.changeId);
  });
  return isKept ? 'open' : 'redrawn';
}

import { isInSplit, type SplitChoice } from '../scan/judge/split.js';
import type { DrawRow } from '../tables.js';
import { type DrawColumns, splitAt } from './drawColumns.js';
import { type Shared, TestSet } from './testSet.js';

/** Why an image is never drawn: its side of the split, its view, or what it shares with a test image. */
export type NotDrawn = `other${'Train' | 'Val' | 'Test'}` | 'interior' | Shared;
const OTHER = { train: 'otherTrain', val: 'otherVal', test: 'otherTest' } as const;

/**
 * Why an image of a pool is never drawn; null where it may be. Only what models train on for good is guarded against
 * the test set: a scan of another split is for review, and its own folds judge nothing else.
 */
export function whyNotDrawn(index: readonly DrawRow[], split: SplitChoice): (row: DrawRow) => NotDrawn | null {
  const test = split === 'train' ? TestSet.ofRows(index) : null;
  return (row) => {
    if (!isInSplit(row, split)) return OTHER[row.split];
    return row.region === 'interior' ? 'interior' : (test?.shares(row) ?? null);
  };
}

/** The same of images by column, by their row number; `test` is the test set, all test images if omitted. */
export function whyRowNotDrawn(
  columns: DrawColumns,
  split: SplitChoice,
  test?: TestSet,
): (row: number) => NotDrawn | null {
  const shares = split === 'train' ? (test ?? TestSet.ofColumns(columns)).sharesOfRow(columns) : () => null;
  return (row) => {
    const side = splitAt(columns, row);
    if (!isInSplit({ split: side }, split)) return OTHER[side];
    return columns.interior[row] === 1 ? 'interior' : shares(row);
  };
}

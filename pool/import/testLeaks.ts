import { type DrawColumns, rowsWhere } from '../../domain/draw/drawColumns.js';
import { type NotDrawn, whyRowNotDrawn } from '../../domain/draw/notDrawn.js';
import { TestSet } from '../../domain/draw/testSet.js';
import type { ImportNotice } from '../../formats/reading/importItem.js';

const EXAMPLES = 5;
const SHARED = { testVehicle: 'a vehicle', testCopy: 'a picture' } satisfies Partial<Record<NotDrawn, string>>;

/** What an import had and what the pool has. */
export interface LeakQuestion {
  /** The newest row of every image in the pool. */
  index: DrawColumns;
  /** Images that the import had, new or known. */
  imported: Iterable<string>;
  fileNameOf: (imageId: string) => string;
  /** Whose images they are, for the sentences. */
  source?: 'of this import' | 'of this file';
}

/**
 * What the training images of an import share with the test set, and what earlier ones share with the test images of
 * the import. Draw never takes such images. Mostly somebody split by picture, and not by vehicle.
 */
export function testLeakNotices({
  index,
  imported,
  fileNameOf,
  source = 'of this import',
}: LeakQuestion): ImportNotice[] {
  const isOurs = new Uint8Array(index.ids.count);
  for (const imageId of imported) {
    const row = index.ids.find(imageId);
    if (row >= 0) isOurs[row] = 1;
  }
  const notices = (ours: 0 | 1, test: TestSet, sentence: (what: string) => string): ImportNotice[] => {
    const reasonOf = whyRowNotDrawn(index, 'train', test);
    return (['testVehicle', 'testCopy'] as const).flatMap((leak) => {
      const rows = test.size === 0 ? [] : rowsWhere(index, (row) => isOurs[row] === ours && reasonOf(row) === leak);
      if (rows.length === 0) return [];
      const examples = Array.from(rows.slice(0, EXAMPLES), (row) => fileNameOf(index.ids.at(row)));
      return [{ notice: `${sentence(SHARED[leak])}: no loop draws them`, count: rows.length, examples }];
    });
  };
  const test = TestSet.ofColumns(index);
  const ourTest = TestSet.ofColumns(index, (row) => isOurs[row] === 1);
  return [
    ...notices(1, test, (what) => `training images ${source} that share ${what} with the test set`),
    ...notices(0, ourTest, (what) => `earlier training images that share ${what} with test images ${source}`),
  ];
}

import { type TestLeak, testGuard } from '../../domain/draw/testGuard.js';
import type { IndexRow } from '../../domain/tables.js';
import type { ImportNotice } from '../../formats/importItem.js';

const EXAMPLES = 5;
const WHAT: Record<TestLeak, string> = {
  testVehicle: 'show a vehicle of the test set',
  testCopy: 'are copies of test images',
};

/**
 * What training images and the test set share since an import. Draw keeps such images out of training, so that they are
 * in the pool for nothing; mostly somebody split by picture where vehicles should have been split.
 *
 * @param images the newest row of every image in the pool
 * @param added ids of the images that the import added
 */
export function testLeakNotices(images: readonly IndexRow[], added: ReadonlySet<string>): ImportNotice[] {
  const test = images.filter(({ split }) => split === 'test');
  const train = images.filter(({ split }) => split === 'train');
  return [
    ...notices(
      train.filter(({ imageId }) => added.has(imageId)),
      test,
      'and are never drawn',
    ),
    ...notices(
      train.filter(({ imageId }) => !added.has(imageId)),
      test.filter(({ imageId }) => added.has(imageId)),
      'since this import, and are no longer drawn',
    ),
  ];
}

function notices(train: readonly IndexRow[], test: readonly IndexRow[], consequence: string): ImportNotice[] {
  if (train.length === 0 || test.length === 0) return [];
  const leakOf = testGuard(test);
  const found: Record<TestLeak, string[]> = { testVehicle: [], testCopy: [] };
  for (const row of train) {
    const leak = leakOf(row);
    if (leak !== null) found[leak].push(row.fileName);
  }
  return (['testVehicle', 'testCopy'] as const)
    .filter((leak) => found[leak].length > 0)
    .map((leak) => ({
      notice: `training images that ${WHAT[leak]} ${consequence}`,
      count: found[leak].length,
      examples: found[leak].slice(0, EXAMPLES),
    }));
}

import { type NotDrawn, whyNotDrawn } from '../../domain/draw/drawChunk.js';
import type { IndexRow } from '../../domain/tables.js';
import type { ImportNotice } from '../../formats/importItem.js';

const EXAMPLES = 5;
const SHARED = { testVehicle: 'a vehicle', testCopy: 'a picture' } satisfies Partial<Record<NotDrawn, string>>;

/**
 * Training images of an import that share a vehicle or copy with the test set, and earlier ones that share one with the
 * test images of the import. Draw never takes such images. The usual cause is a split by picture instead of by vehicle.
 *
 * @param images the newest row of every image in the pool
 * @param isOfImport whether the import had this image, new or known
 */
export function testLeakNotices(images: readonly IndexRow[], isOfImport: (imageId: string) => boolean): ImportNotice[] {
  const ours = images.filter(({ imageId }) => isOfImport(imageId));
  const earlier = images.filter(({ imageId }) => !isOfImport(imageId));
  return [
    ...notices(ours, images, (what) => `training images of this import that share ${what} with the test set`),
    ...notices(earlier, ours, (what) => `earlier training images that share ${what} with test images of this import`),
  ];
}

/** The ones of `rows` that are never drawn because of the test images in `index`. */
function notices(
  rows: readonly IndexRow[],
  index: readonly IndexRow[],
  sentence: (what: string) => string,
): ImportNotice[] {
  const reasonOf = whyNotDrawn(index, 'train');
  const found = { testVehicle: [] as string[], testCopy: [] as string[] };
  for (const row of rows) {
    const reason = reasonOf(row);
    if (reason === 'testVehicle' || reason === 'testCopy') found[reason].push(row.fileName);
  }
  return (['testVehicle', 'testCopy'] as const)
    .filter((leak) => found[leak].length > 0)
    .map((leak) => ({
      notice: `${sentence(SHARED[leak])}: no loop draws them`,
      count: found[leak].length,
      examples: found[leak].slice(0, EXAMPLES),
    }));
}

import type { IndexRow } from '../../domain/tables.js';
import { forEachLimited } from '../../storage/parallel.js';
import type { PoolHistory } from '../../storage/pool/poolHistory.js';
import type { Guard, Incoming } from '../import/segmentedImport.js';
import { Originals } from './originals.js';
import type { Thumbnails } from './thumbnails.js';

const IN_PARALLEL = 6;
/** Of a file name: the whole reason stays short. */
const NAME_LENGTH = 200;

/** Keeps out new images that show the same picture as a test image, of the pool or of the same segment. */
export const copyGuard =
  (thumbnails: Thumbnails): Guard =>
  (known, incoming) =>
    refusedCopies(
      incoming.filter(({ isNew }) => isNew),
      testImages(known, incoming, thumbnails),
      thumbnails,
    );

/** The test images of a pool once these images are in it. */
export function testImages(known: PoolHistory, incoming: readonly Incoming[], thumbnails: Thumbnails): IndexRow[] {
  const coming = new Set(incoming.map(({ row }) => row.imageId));
  const test = incoming.filter(({ row }) => row.split === 'test');
  for (const { row, thumbnail } of test) thumbnails.know(row.imageId, thumbnail);
  return [...[...known.ofSplit('test')].filter(({ imageId }) => !coming.has(imageId)), ...test.map(({ row }) => row)];
}

/** Which images are copies of test images, with a reason that names the test image. */
export async function refusedCopies(
  incoming: readonly Incoming[],
  test: readonly IndexRow[],
  thumbnails: Thumbnails,
): Promise<Map<string, string>> {
  const refused = new Map<string, string>();
  const originals = new Originals(test, thumbnails);
  await forEachLimited(incoming, IN_PARALLEL, async ({ row, thumbnail }) => {
    if (row.split === 'test') return;
    const original = await originals.of(row.perceptualHash, async () => thumbnail);
    if (original === null) return;
    const { fileName, imageId } = original;
    refused.set(
      row.imageId,
      `it is a copy of a test image: ${fileName.slice(0, NAME_LENGTH)} (${imageId.slice(0, 12)})`,
    );
  });
  return refused;
}

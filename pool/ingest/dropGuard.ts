import { TestSet } from '../../domain/draw/testSet.js';
import type { IngestRules } from '../../domain/ingest/rules.js';
import { refusedCopies, testImages } from '../copies/copyGuard.js';
import type { Thumbnails } from '../copies/thumbnails.js';
import type { Guard } from '../import/segmentedImport.js';

/**
 * Keeps out what no loop would ever draw, since it would show a model its test set, by draw's own rules; and what would
 * change the test set, which is the operator's.
 */
export function dropGuard(rules: IngestRules, thumbnails: Thumbnails): Guard {
  return async (known, incoming) => {
    const refused = new Map<string, string>();
    const taken = incoming.filter(({ row: { imageId, split } }) => {
      const isRefused = split === 'test' && rules.testImages !== 'accept';
      if (isRefused) refused.set(imageId, 'it is a picture of the test set');
      return !isRefused;
    });
    if (rules.leaks === 'accept') return refused;
    // Validation images choose between models, so that they are guarded like training images.
    const guarded = taken.filter(({ row }) => row.split !== 'test');
    const test = testImages(known, taken, thumbnails);
    const shares = TestSet.ofRows(test);
    const others = guarded.filter(({ row: { imageId, vehicleId }, row }) => {
      const shared = shares.shares(row);
      if (shared === 'testVehicle') refused.set(imageId, `it shows vehicle \`${vehicleId}\` of the test set`);
      if (shared === 'testCopy') refused.set(imageId, 'it is a copy of a test image');
      return shared !== 'testVehicle';
    });
    for (const [imageId, reason] of await refusedCopies(others, test, thumbnails)) refused.set(imageId, reason);
    return refused;
  };
}

import type { IndexRow } from '../tables.js';
import { copyDetector } from './nearDuplicates.js';

/** What a picture shares with a test image: the vehicle, or the picture itself. */
export type TestLeak = 'testVehicle' | 'testCopy';

/** The columns by which a picture is compared with the test set. */
export type Comparable = Pick<IndexRow, 'imageId' | 'vehicleId' | 'perceptualHash'>;

/** Which pictures would show a model its test set; a copy of a test image differs in at most `TEST_COPY_BITS` bits. */
export function testGuard(test: readonly Comparable[]): (row: Comparable) => TestLeak | null {
  const ids = new Set(test.map((row) => row.imageId));
  const vehicles = new Set(test.flatMap((row) => row.vehicleId ?? []));
  const isCopy = copyDetector(test.map((row) => row.perceptualHash));
  return (row) => {
    if (row.vehicleId !== null && vehicles.has(row.vehicleId)) return 'testVehicle';
    return ids.has(row.imageId) || isCopy(row.perceptualHash) ? 'testCopy' : null;
  };
}

import { TestSet } from '../../domain/draw/testSet.js';
import type { PoolHistory } from '../../storage/poolHistory.js';
import type { RowGuard } from '../import/segmentedImport.js';

/** Keeps out what no loop would ever draw, since it would show a model its test set: by draw's own rule. */
export function leakGuard(known: PoolHistory): RowGuard {
  const test = TestSet.ofRows([...testRows(known)]);
  return (row) => {
    // Validation images choose between models, so that they are guarded like training images.
    const shared = row.split === 'test' ? null : test.shares(row);
    if (shared === 'testVehicle') return `it shows vehicle \`${row.vehicleId}\` of the test set`;
    return shared === 'testCopy' ? 'it is a copy of a test image' : null;
  };
}

function* testRows(known: PoolHistory) {
  for (const row of known.present()) if (row.split === 'test') yield row;
}

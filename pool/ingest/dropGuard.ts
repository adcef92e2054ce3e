import { TestSet } from '../../domain/draw/testSet.js';
import type { IngestRules } from '../../domain/ingest/rules.js';
import type { PoolHistory } from '../../storage/pool/poolHistory.js';
import type { RowGuard } from '../import/segmentedImport.js';

/**
 * Keeps out what no loop would ever draw, since it would show a model its test set, by draw's own rule; and what would
 * change the test set, which is the operator's.
 */
export function dropGuard(known: PoolHistory, { leaks, testImages }: IngestRules): RowGuard {
  const test = TestSet.ofRows([...known.ofSplit('test')]);
  return (row) => {
    if (row.split === 'test') return testImages === 'accept' ? null : 'it is a picture of the test set';
    // Validation images choose between models, so that they are guarded like training images.
    const shared = leaks === 'accept' ? null : test.shares(row);
    if (shared === 'testVehicle') return `it shows vehicle \`${row.vehicleId}\` of the test set`;
    return shared === 'testCopy' ? 'it is a copy of a test image' : null;
  };
}

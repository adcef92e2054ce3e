import { whyNotDrawn } from '../../domain/draw/drawChunk.js';
import type { PoolHistory } from '../../storage/poolHistory.js';
import type { RowGuard } from '../import/segmentedImport.js';

/** Keeps out what no loop would ever draw, since it would show a model its test set: by draw's own rule. */
export function leakGuard(known: PoolHistory): RowGuard {
  const reasonOf = whyNotDrawn([...known.present()], 'train');
  return (row) => {
    if (row.split === 'test') return null;
    // Validation images choose between models, so that they are guarded like training images.
    const reason = reasonOf({ ...row, split: 'train' });
    if (reason === 'testVehicle') return `it shows vehicle \`${row.vehicleId}\` of the test set`;
    return reason === 'testCopy' ? 'it is a copy of a test image' : null;
  };
}

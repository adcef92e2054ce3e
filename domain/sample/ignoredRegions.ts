import type { z } from 'zod';
import { resizeNearest } from '../geometry/resize.js';
import { decodeRle } from '../geometry/rle.js';
import type { proposalSchema } from '../review/correction.js';
import { IGNORE_INDEX } from '../taxonomy.js';

/**
 * A label [height, width] in which the regions (on the scan's grid, scaled by nearest pixel) are 255, the ignore index:
 * training learns nothing there, neither from the label nor from the prediction.
 */
export function ignoreRegions(
  label: Uint8Array,
  width: number,
  height: number,
  regions: readonly z.output<typeof proposalSchema>[],
): Uint8Array {
  const ignored = label.slice();
  for (const { size, counts } of regions) {
    const [rows, columns] = size;
    const region = resizeNearest(decodeRle(counts, columns, rows), columns, rows, width, height);
    for (let pixel = 0; pixel < ignored.length; pixel++) if (region[pixel] === 1) ignored[pixel] = IGNORE_INDEX;
  }
  return ignored;
}

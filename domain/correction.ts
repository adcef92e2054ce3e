import { z } from 'zod';
import { PartloopError } from './errors.js';
import { resizeNearest } from './geometry/resize.js';
import { decodeRle } from './geometry/rle.js';

/** A finding's proposed correction as the scan writes it: uncompressed COCO run lengths on the scan's grid. */
export const proposalSchema = z.object({
  size: z.tuple([z.number().int().min(1).max(4_096), z.number().int().min(1).max(4_096)]),
  counts: z.array(z.number().int().nonnegative()),
});

/**
 * A label [height × width] with the proposed regions given their suggested values, one after the other; the label that is
 * passed in stays as it is. Regions are scaled from the scan's grid to the label's by nearest pixel.
 *
 * @throws PartloopError `data-invalid` for a proposal that is none
 */
export function correctLabel(
  label: Uint8Array,
  width: number,
  height: number,
  proposals: readonly { proposal: string; value: number }[],
): Uint8Array {
  const corrected = Uint8Array.from(label);
  for (const { proposal, value } of proposals) {
    const parsed = proposalSchema.safeParse(JSON.parse(proposal));
    if (!parsed.success) throw new PartloopError('data-invalid', `a proposal is no mask: ${parsed.error.message}`);
    const [rows, columns] = parsed.data.size;
    const region = resizeNearest(decodeRle(parsed.data.counts, columns, rows), columns, rows, width, height);
    for (let pixel = 0; pixel < corrected.length; pixel++) if (region[pixel] === 1) corrected[pixel] = value;
  }
  return corrected;
}

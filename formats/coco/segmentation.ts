import { z } from 'zod';

const coordinate = z.number().min(-1e6).max(1e6);
const ring = z
  .array(coordinate)
  .min(6)
  .refine((points) => points.length % 2 === 0, 'a polygon is a list of x, y pairs');
const rle = z.object({
  size: z.tuple([z.number().int().positive(), z.number().int().positive()]),
  counts: z.union([z.array(z.number().int().nonnegative()), z.string()]),
});
/** Rings of x, y pairs, or a run-length mask of `size` [height, width]. */
export const segmentationSchema = z.union([z.array(ring).min(1, 'it has no polygon'), rle]);

import { z } from 'zod';
import { numbers } from '../../domain/base/checked.js';
import { PartloopError } from '../../domain/base/errors.js';
import { type Canvas, polygonShape, rleShape, type Shape } from '../paint.js';

/** Pixels by which a coordinate may be outside: no tool draws further. */
const FAR = 1e6;

const ring = numbers('a polygon is a list of x, y pairs in pixels', (at) => at >= -FAR && at <= FAR).refine(
  (points) => points.length >= 6 && points.length % 2 === 0,
  'a polygon is a list of at least three x, y pairs',
);
const rle = z.object({
  size: z.tuple([z.number().int().positive(), z.number().int().positive()]),
  counts: z.union([
    numbers('run lengths are whole numbers', (run) => Number.isSafeInteger(run) && run >= 0),
    z.string(),
  ]),
});
/** Rings of x, y pairs, or a run-length mask of `size` [height, width]. */
export const segmentationSchema = z.union([z.array(ring), rle]);
export type Segmentation = z.output<typeof segmentationSchema>;

/**
 * The pixels of a picture that a segmentation covers.
 *
 * @throws PartloopError `data-invalid` for a mask that is damaged or of another size
 */
export function segmentationShape(segmentation: Segmentation, value: number, canvas: Canvas): Shape {
  if (Array.isArray(segmentation)) return polygonShape(segmentation, value, canvas);
  const { counts } = segmentation;
  return rleShape(typeof counts === 'string' ? decompress(counts) : counts, value, canvas);
}

/**
 * Runs from COCO's compressed text: LEB128-like, 5 bits per character from code 48, later values relative to the second
 * last one.
 */
function decompress(text: string): number[] {
  const runs: number[] = [];
  let at = 0;
  while (at < text.length) {
    let value = 0;
    let shift = 0;
    let code = 0;
    do {
      code = text.charCodeAt(at++) - 48;
      if (!(code >= 0 && code < 64) || shift > 30)
        throw new PartloopError('data-invalid', 'its compressed run-length mask is damaged');
      value |= (code & 31) << shift;
      shift += 5;
    } while ((code & 32) !== 0);
    if ((code & 16) !== 0 && shift < 32) value |= -1 << shift;
    runs.push(runs.length > 2 ? value + (runs[runs.length - 2] as number) : value);
  }
  return runs;
}

/** The same the other way: COCO's compressed text of uncompressed run lengths. */
export function compressRuns(runs: readonly number[]): string {
  let text = '';
  for (const [index, run] of runs.entries()) {
    let rest = index > 2 ? run - (runs[index - 2] as number) : run;
    for (let more = true; more; ) {
      const code = rest & 31;
      rest >>= 5;
      // Done when the bits that are left are copies of the sign.
      more = (code & 16) === 0 ? rest !== 0 : rest !== -1;
      text += String.fromCharCode(code + (more ? 32 : 0) + 48);
    }
  }
  return text;
}

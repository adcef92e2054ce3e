import { encodeRle } from '../../../domain/geometry/rle.js';
import { compressRuns } from '../segmentation.js';

/** A mask as a COCO annotation holds it: run lengths in COCO's compressed text. */
export interface AnnotationMask {
  segmentation: { size: [height: number, width: number]; counts: string };
  /** Pixels. */
  area: number;
  /** x, y, width, height in pixels. */
  bbox: [number, number, number, number];
}

/** The mask of the pixels, row by row, that are inside; at least one is. */
export function maskOf(
  inside: (pixel: number) => boolean,
  { width, height }: { width: number; height: number },
): AnnotationMask {
  let area = 0;
  let [x0, y0, x1, y1] = [width, height, 0, 0];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      if (!inside(y * width + x)) continue;
      area += 1;
      x0 = Math.min(x0, x);
      x1 = Math.max(x1, x + 1);
      y0 = Math.min(y0, y);
      y1 = Math.max(y1, y + 1);
    }
  const counts = encodeRle(inside, { x0, y0, x1, y1 }, width, height);
  return {
    segmentation: { size: [height, width], counts: compressRuns(counts) },
    area,
    bbox: [x0, y0, x1 - x0, y1 - y0],
  };
}

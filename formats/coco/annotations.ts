import { PartloopError } from '../../domain/base/errors.js';
import { encodeRle, rleOfRuns } from '../../domain/geometry/rle.js';
import { BACKGROUND, IGNORE_INDEX } from '../../domain/taxonomy.js';
import { type LabelRegions, labelRegions, regionRuns } from '../regions.js';
import { compressRuns } from './segmentation.js';

interface Size {
  width: number;
  height: number;
}

/** An annotation without its ids. */
export interface LabelAnnotation {
  /** The label value. */
  category_id: number;
  segmentation: { size: [height: number, width: number]; counts: string };
  area: number;
  /** x, y, width, height in pixels. */
  bbox: [number, number, number, number];
  iscrowd: 0 | 1;
}

/**
 * A label, `width` × `height` values row by row, as annotations that together say each of its pixels: one for each
 * connected piece of a class, and one with `iscrowd` 1 for all that is ignored. A class of a speckled label, whose
 * pieces would be too many, is one annotation.
 */
export function labelAnnotations(pixels: Uint8Array, size: Size): LabelAnnotation[] {
  const regions = piecesOf(pixels, size);
  const classes = regions === null ? wholeClasses(pixels, size) : pieces(regions, size);
  return pixels.includes(IGNORE_INDEX)
    ? [...classes, { ...wholeValue(pixels, size, IGNORE_INDEX), iscrowd: 1 }]
    : classes;
}

/** null for a speckled label. */
function piecesOf(pixels: Uint8Array, size: Size): LabelRegions | null {
  try {
    return labelRegions(size, pixels);
  } catch (error) {
    if (error instanceof PartloopError && error.code === 'data-invalid') return null;
    throw error;
  }
}

function pieces(regions: LabelRegions, size: Size): LabelAnnotation[] {
  const runsOf = regionRuns(regions, size, 'columns');
  return regions.list.map((component) => {
    const { value, area, x0, y0, x1, y1 } = component;
    return annotation(value, rleOfRuns(runsOf(component), size.width * size.height), size, area, [x0, y0, x1, y1]);
  });
}

function wholeClasses(pixels: Uint8Array, size: Size): LabelAnnotation[] {
  const values = [...new Set(pixels)].filter((value) => value !== BACKGROUND && value !== IGNORE_INDEX);
  return values.sort((a, b) => a - b).map((value) => wholeValue(pixels, size, value));
}

/** All pixels of a value that is there. */
function wholeValue(pixels: Uint8Array, size: Size, value: number): LabelAnnotation {
  const { width, height } = size;
  let area = 0;
  let [x0, y0, x1, y1] = [width, height, 0, 0];
  for (let at = pixels.indexOf(value); at !== -1; at = pixels.indexOf(value, at + 1)) {
    const [x, y] = [at % width, Math.floor(at / width)];
    area++;
    x0 = Math.min(x0, x);
    x1 = Math.max(x1, x + 1);
    y0 = Math.min(y0, y);
    y1 = Math.max(y1, y + 1);
  }
  const counts = encodeRle((pixel) => pixels[pixel] === value, { x0, y0, x1, y1 }, width, height);
  return annotation(value, counts, size, area, [x0, y0, x1, y1]);
}

function annotation(
  value: number,
  counts: readonly number[],
  { width, height }: Size,
  area: number,
  [x0, y0, x1, y1]: readonly [number, number, number, number],
): LabelAnnotation {
  return {
    category_id: value,
    segmentation: { size: [height, width], counts: compressRuns(counts) },
    area,
    bbox: [x0, y0, x1 - x0, y1 - y0],
    iscrowd: 0,
  };
}

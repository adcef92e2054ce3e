import { PartloopError } from '../../domain/base/errors.js';
import { BACKGROUND, type Taxonomy } from '../../domain/taxonomy.js';
import { paintShapes, type Shape } from '../paint.js';
import { type MatchedClass, unknownClass } from '../reading/classMatcher.js';
import type { ItemLabel } from '../reading/importItem.js';
import { painted } from '../reading/returned.js';
import { annotationName, categoryOf, parseAnnotation } from './file.js';
import { segmentationShape } from './segmentation.js';

/** Rounding tolerance of fractions outside 0 to 1. */
const SLIP = 0.05;

/** Category id -> name and label value. */
export type Categories = ReadonlyMap<string, { name: string; value: MatchedClass }>;

/**
 * The label that annotations of an image make.
 *
 * @throws PartloopError `data-invalid` naming the annotation that cannot be painted
 */
export function paintAnnotations(
  annotations: readonly unknown[],
  size: { width: number; height: number },
  categories: Categories,
  taxonomy: Taxonomy,
): ItemLabel {
  const notes: string[] = [];
  const shapes = annotations.flatMap((annotation, index) => {
    const name = annotationName(annotation, index);
    const shape = toShape(annotation, name, size, categories, taxonomy);
    if (shape?.area === 0) notes.push(`${name} covers no pixel`);
    return shape ?? [];
  });
  const pixels = painted(paintShapes(shapes, size), shapes);
  return { pixels, notes, overlapPx: overlapOf(shapes, pixels) };
}

/** Pixels of parts that a label with one class per pixel cannot show. */
function overlapOf(shapes: readonly Shape[], pixels: Uint8Array): number {
  const claimed = shapes.reduce((sum, { value, area }) => (value === BACKGROUND ? sum : sum + area), 0);
  let shown = 0;
  for (const value of pixels) if (value !== BACKGROUND) shown++;
  return claimed - shown;
}

/** null for an annotation that is left out by request. */
function toShape(
  annotation: unknown,
  name: string,
  { width, height }: { width: number; height: number },
  categories: Categories,
  taxonomy: Taxonomy,
): Shape | null {
  const category = categories.get(categoryOf(annotation) ?? '');
  if (category !== undefined && category.value === null) return null;
  const named = category === undefined ? name : `${name} (${category.name})`;
  const { category: id, segmentation } = parseAnnotation(annotation, named);
  if (category === undefined)
    throw new PartloopError('data-invalid', `${name} has category ${id}, which the file does not list`);
  if (category.value == null) throw new PartloopError('data-invalid', unknownClass(category.name, taxonomy));
  if (Array.isArray(segmentation)) for (const ring of segmentation) checkRing(ring, name, width, height);
  else if (segmentation.size[0] !== height || segmentation.size[1] !== width)
    throw new PartloopError(
      'data-invalid',
      `${name} is a mask of ${segmentation.size[1]}×${segmentation.size[0]}, not ${width}×${height}`,
    );
  return segmentationShape(segmentation, category.value, { width, height });
}

/** A ring that misses the picture was written in another unit, or for another picture. */
function checkRing(ring: readonly number[], name: string, width: number, height: number): void {
  let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let at = 0; at < ring.length; at += 2) {
    const [x, y] = [ring[at] as number, ring[at + 1] as number];
    [x0, x1, y0, y1] = [Math.min(x0, x), Math.max(x1, x), Math.min(y0, y), Math.max(y1, y)];
  }
  const isFraction = x1 <= 1 + SLIP && y1 <= 1 + SLIP && x0 >= -SLIP && y0 >= -SLIP;
  if (isFraction && Math.max(width, height) > 2)
    throw new PartloopError('data-invalid', `${name} has coordinates from 0 to 1: fractions, not pixels`);
  if (x1 <= 0 || y1 <= 0 || x0 >= width || y0 >= height)
    throw new PartloopError(
      'data-invalid',
      `${name} lies outside the picture: it reaches from ${x0}, ${y0} to ${x1}, ${y1}, the picture has ${width}×${height}`,
    );
}

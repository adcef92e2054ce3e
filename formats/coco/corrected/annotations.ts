import { type Component, connectedComponents, skipValues } from '../../../domain/geometry/components.js';
import { BACKGROUND } from '../../../domain/taxonomy.js';
import { paintShapes, type Shape } from '../../paint.js';
import { labelAnnotations } from '../annotations.js';
import { type Segmentation, segmentationShape } from '../segmentation.js';
import { type AnnotationMask, maskOf } from './mask.js';

interface Size {
  width: number;
  height: number;
}

/** An annotation as an import takes it; `value` is its label value. */
export interface PaintedAnnotation {
  value: number;
  segmentation: Segmentation;
}

/** What becomes of an annotation: of a changed one, `value` and `mask` are null where they stay. */
export type AnnotationFate = 'kept' | 'dropped' | { value: number | null; mask: AnnotationMask | null };

/** The annotations of an image whose label was corrected. */
export interface CorrectedAnnotations {
  /** One for each annotation, in their order. */
  fates: AnnotationFate[];
  added: { value: number; mask: AnnotationMask }[];
}

/**
 * What annotations must become so that they paint a corrected label. Those that it does not concern stay. One that
 * becomes another class as a whole gets that class; one that loses or gains pixels gets another mask; what no
 * annotation can take is added, one for each connected piece. If that does not paint the label, because annotations lie
 * over each other, all are made anew.
 *
 * @param label the corrected label, `width` × `height` values row by row
 * @throws PartloopError `data-invalid` for an annotation that cannot be painted
 */
export function correctedAnnotations(
  annotations: readonly PaintedAnnotation[],
  label: Uint8Array,
  size: Size,
): CorrectedAnnotations {
  const careful = withFewChanges(annotations, label, size);
  if (isPaintedBy(annotations, careful, label, size)) return careful;
  return {
    fates: annotations.map(() => 'dropped'),
    added: labelAnnotations(label, size).map(({ category_id: value, segmentation, area, bbox }) => ({
      value,
      mask: { segmentation, area, bbox },
    })),
  };
}

function withFewChanges(
  annotations: readonly PaintedAnnotation[],
  label: Uint8Array,
  size: Size,
): CorrectedAnnotations {
  const owner = ownersOf(annotations, size);
  const values = valuesAfter(annotations, owner, label);
  /** The annotation that has each pixel afterwards, from 1; 0 for none. */
  const next = owner.map((number, pixel) => (number > 0 && values[number - 1] === label[pixel] ? number : 0));
  const rest = label.map((value, pixel) => (next[pixel] === 0 ? value : BACKGROUND));
  const pieces = connectedComponents(rest, size.width, size.height, skipValues(BACKGROUND));
  const joined = new Set<number>();
  const takenBy = pieces.list.map((piece) => {
    const number = neighbourOf(piece, pieces.ids, next, (one) => values[one - 1] === piece.value, size);
    if (number !== null) joined.add(number);
    return number;
  });
  for (let pixel = 0; pixel < next.length; pixel++) {
    const number = takenBy[pieces.ids[pixel] as number];
    if (number != null) next[pixel] = number;
  }
  const before = areas(owner, annotations.length);
  const after = areas(next, annotations.length);
  const lost = areas(
    owner.map((number, pixel) => (number !== next[pixel] ? number : 0)),
    annotations.length,
  );
  const fates = annotations.map(({ value: had }, at): AnnotationFate => {
    const number = at + 1;
    if (before[number] === 0) return 'kept';
    if (after[number] === 0) return 'dropped';
    const isRedrawn = joined.has(number) || (lost[number] as number) > 0;
    const value = values[at] === had ? null : (values[at] as number);
    if (!isRedrawn && value === null) return 'kept';
    return { value, mask: isRedrawn ? maskOf((pixel) => next[pixel] === number, size) : null };
  });
  const added = pieces.list.flatMap((piece) =>
    takenBy[piece.id] === null
      ? [{ value: piece.value, mask: maskOf((pixel) => pieces.ids[pixel] === piece.id, size) }]
      : [],
  );
  return { fates, added };
}

/** Number of the annotation on top of each pixel, from 1, by the rule of an import; 0 for none. */
function ownersOf(annotations: readonly PaintedAnnotation[], size: Size): Uint32Array {
  // A shape paints one byte: numbers are painted byte by byte.
  const bytes = [0, 8, 16].map((shift) =>
    paintShapes(
      annotations.map(({ segmentation }, at) => segmentationShape(segmentation, ((at + 1) >> shift) & 255, size)),
      size,
    ),
  );
  const [low, middle, high] = bytes as [Uint8Array, Uint8Array, Uint8Array];
  return Uint32Array.from(
    low,
    (byte, pixel) => byte | ((middle[pixel] as number) << 8) | ((high[pixel] as number) << 16),
  );
}

/** The value of each annotation afterwards: another one if all that is seen of it became one other class. */
function valuesAfter(annotations: readonly PaintedAnnotation[], owner: Uint32Array, label: Uint8Array): number[] {
  const target = new Map<number, number | null>();
  for (let pixel = 0; pixel < owner.length; pixel++) {
    const number = owner[pixel] as number;
    const value = label[pixel] as number;
    const so = target.get(number);
    if (so === undefined) target.set(number, value);
    else if (so !== value) target.set(number, null);
  }
  return annotations.map(({ value }, at) => {
    const only = target.get(at + 1);
    return only == null || only === BACKGROUND || value === BACKGROUND ? value : only;
  });
}

/** The fitting annotation that touches most of a piece's rim; null if none does. */
function neighbourOf(
  piece: Component,
  ids: Int32Array,
  next: Uint32Array,
  isFitting: (number: number) => boolean,
  { width, height }: Size,
): number | null {
  const contacts = new Map<number, number>();
  const touch = (x: number, y: number): void => {
    if (x < 0 || y < 0 || x >= width || y >= height) return;
    const number = next[y * width + x] as number;
    if (number > 0 && isFitting(number)) contacts.set(number, (contacts.get(number) ?? 0) + 1);
  };
  for (let y = piece.y0; y < piece.y1; y++)
    for (let x = piece.x0; x < piece.x1; x++) {
      if (ids[y * width + x] !== piece.id) continue;
      touch(x - 1, y);
      touch(x + 1, y);
      touch(x, y - 1);
      touch(x, y + 1);
    }
  const [most] = [...contacts].sort(([a, n], [b, m]) => m - n || a - b);
  return most?.[0] ?? null;
}

/** `areas(numbers, n)[i]`: pixels of number `i`, 0..n. */
function areas(numbers: Uint32Array, most: number): Float64Array {
  const found = new Float64Array(most + 1);
  for (const number of numbers) found[number] = (found[number] as number) + 1;
  return found;
}

function isPaintedBy(
  annotations: readonly PaintedAnnotation[],
  { fates, added }: CorrectedAnnotations,
  label: Uint8Array,
  size: Size,
): boolean {
  const shapes = annotations.flatMap(({ value, segmentation }, at): Shape[] => {
    const fate = fates[at] ?? 'kept';
    if (fate === 'dropped') return [];
    if (fate === 'kept') return [segmentationShape(segmentation, value, size)];
    return [segmentationShape(fate.mask?.segmentation ?? segmentation, fate.value ?? value, size)];
  });
  const more = added.map(({ value, mask }) => segmentationShape(mask.segmentation, value, size));
  const painted = paintShapes([...shapes, ...more], size);
  return painted.every((value, pixel) => value === label[pixel]);
}

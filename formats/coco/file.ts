import { z } from 'zod';
import { check } from '../../domain/base/checked.js';
import { PartloopError } from '../../domain/base/errors.js';
import { type Segmentation, segmentationSchema } from './segmentation.js';

/** An id as text: most tools write numbers, some write text. */
export const cocoId = z.union([z.number(), z.string().max(1_024)]).transform(String);

const ownerSchema = z.looseObject({ image_id: cocoId });
const namedSchema = z.looseObject({ id: cocoId });
const categorySchema = z.looseObject({ category_id: cocoId });
/** Form of detection tools. */
const boxSchema = z.looseObject({ segmentation: z.union([z.array(z.unknown()).max(0), z.null()]).optional() });
const annotationSchema = z.looseObject({ category_id: cocoId, segmentation: segmentationSchema });

/**
 * Category id -> name.
 *
 * @throws PartloopError `input-invalid` if two categories have one id: nobody can tell which is meant
 */
export function categoryNames(
  categories: readonly { id: string; name: string }[],
  path: string,
): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const { id, name } of categories) {
    const other = names.get(id);
    if (other !== undefined && other !== name)
      throw new PartloopError('input-invalid', `${path} gives id ${id} to two categories: ${other} and ${name}`);
    names.set(id, name);
  }
  return names;
}

/** The id of the image that an annotation belongs to; null if it names none. */
export const ownerOf = (annotation: unknown): string | null => ownerSchema.safeParse(annotation).data?.image_id ?? null;

/** An annotation that belongs to no image of the file. */
export interface Stray {
  /** The image that it names; null if it names none. */
  owner: string | null;
  /** Its name in messages. */
  name: string;
}

/**
 * Annotations by the ids of the images that they belong to, in the order of the file.
 *
 * @throws PartloopError `input-invalid` if two images have one id
 */
export function annotationsByImage<T>(
  annotations: readonly T[],
  imageIds: readonly string[],
  path: string,
): { byImage: ReadonlyMap<string, readonly T[]>; strays: Stray[] } {
  const byImage = new Map<string, T[]>(imageIds.map((id) => [id, []]));
  if (byImage.size !== imageIds.length)
    throw new PartloopError('input-invalid', `${path} has two images with the same id`);
  const strays: Stray[] = [];
  for (const [index, annotation] of annotations.entries()) {
    const owner = ownerOf(annotation);
    const own = owner === null ? undefined : byImage.get(owner);
    if (own === undefined) strays.push({ owner, name: annotationName(annotation, index) });
    else own.push(annotation);
  }
  return { byImage, strays };
}

/** The name of an annotation in messages; `index` is used if it has no id. */
export function annotationName(annotation: unknown, index: number): string {
  const named = namedSchema.safeParse(annotation);
  return named.success ? `annotation ${named.data.id}` : `annotation number ${index}`;
}

/** The category that an annotation names; null if it names none. */
export const categoryOf = (annotation: unknown): string | null =>
  categorySchema.safeParse(annotation).data?.category_id ?? null;

/**
 * Category and mask of an annotation; messages call it `name`.
 *
 * @throws PartloopError `data-invalid` for one without a mask, and one that is not valid
 */
export function parseAnnotation(annotation: unknown, name: string): { category: string; segmentation: Segmentation } {
  if (boxSchema.safeParse(annotation).success)
    throw new PartloopError(
      'data-invalid',
      `${name} has no mask: a box does not tell which pixels belong to the part`,
      {
        hint: 'Draw masks or polygons.',
      },
    );
  const { data, problem } = check(annotationSchema, annotation);
  if (problem !== null) throw new PartloopError('data-invalid', `${name} is not valid: ${problem}`);
  return { category: data.category_id, segmentation: data.segmentation };
}

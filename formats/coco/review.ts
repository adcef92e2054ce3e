import { z } from 'zod';
import { check } from '../../domain/checked.js';
import { PartloopError } from '../../domain/errors.js';
import { readJsonFile } from '../jsonFile.js';
import type { Manifest, ManifestImage } from '../manifest.js';
import { paintShapes, type Shape } from '../paint.js';
import { checkSize, classValue, listedClasses, painted, type Returned, type ReturnedImage } from '../returned.js';
import { segmentationSchema, segmentationShape } from './segmentation.js';

const numeric = z.union([z.number(), z.string()]);
const imageSchema = z.object({
  id: numeric,
  file_name: z.string().min(1).max(1_100),
  width: z.number().int().positive().optional(),
  height: z.number().int().positive().optional(),
  partloop_image_id: z.string().optional(),
});
/** What detection tools write. */
const boxSchema = z.object({ segmentation: z.union([z.null(), z.array(z.unknown()).max(0)]).optional() });
const namedSchema = z.object({ id: numeric.optional().catch(undefined) });
const annotationSchema = z.object({
  image_id: numeric,
  category_id: numeric,
  segmentation: segmentationSchema,
});
const fileSchema = z.object({
  info: z.looseObject({ partloop_export_id: z.string().optional() }).optional().catch(undefined),
  images: z.array(imageSchema),
  categories: z.array(z.object({ id: numeric, name: z.string() })),
  annotations: z.array(
    z.looseObject({
      image_id: numeric,
      attributes: z.object({ partloop_image_id: z.string().optional() }).optional().catch(undefined),
    }),
  ),
});

/**
 * Images of a COCO file that a tool wrote. Categories are matched by name, since tools renumber them; our image ids are taken
 * from the image or its annotations' attributes. Masks are run lengths or polygons; pieces may have been merged.
 *
 * @throws PartloopError `input-invalid` where the file as a whole is of no use
 */
export async function readCocoReturned(path: string, manifest: Manifest): Promise<Returned> {
  const { data, problem } = check(fileSchema, await readJsonFile(path));
  if (problem !== null) throw new PartloopError('input-invalid', `${path} is not a COCO annotation file: ${problem}`);
  const { info, images, categories, annotations } = data;
  const names = categoryNames(categories, path);
  const byImage = new Map<string, (typeof annotations)[number][]>(images.map(({ id }) => [String(id), []]));
  if (byImage.size !== images.length) throw new PartloopError('input-invalid', `${path} has two images with one id`);
  const strays = new Map<string, number>();
  for (const annotation of annotations) {
    const owner = String(annotation.image_id);
    const own = byImage.get(owner);
    if (own === undefined) strays.set(owner, (strays.get(owner) ?? 0) + 1);
    else own.push(annotation);
  }
  const returned = images.map((entry): ReturnedImage => {
    const own = byImage.get(String(entry.id)) ?? [];
    const [kept, ...others] = new Set(own.flatMap(({ attributes }) => attributes?.partloop_image_id || []));
    return {
      name: entry.file_name,
      imageId: entry.partloop_image_id ?? null,
      exportId: info?.partloop_export_id ?? null,
      ...(kept === undefined || others.length > 0 ? {} : { piecesId: kept }),
      read: async (image) => {
        checkSize(image, entry.width ?? image.width, entry.height ?? image.height, 'its entry');
        const parts = own.map((annotation) => toShape(annotation, image, manifest, names));
        const shapes = parts.map(({ shape }) => shape);
        return {
          raster: painted(paintShapes(shapes, image), shapes),
          polygons: parts.some(({ polygons }) => polygons),
        };
      },
    };
  });
  return {
    images: returned,
    classes: listedClasses(manifest, [...names.values()], path),
    strays: [...strays].map(([owner, count]) => `image ${owner}, which has ${count} annotations and no entry`),
  };
}

/** Category id -> name. */
function categoryNames(
  categories: readonly { id: number | string; name: string }[],
  path: string,
): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const { id, name } of categories) {
    const other = names.get(String(id));
    if (other !== undefined && other !== name)
      throw new PartloopError('input-invalid', `${path} has two categories with the id ${id}: ${other} and ${name}`);
    names.set(String(id), name);
  }
  return names;
}

function toShape(
  annotation: unknown,
  image: ManifestImage,
  manifest: Manifest,
  names: ReadonlyMap<string, string>,
): { shape: Shape; polygons: boolean } {
  const { id } = namedSchema.parse(annotation);
  const which = id === undefined ? 'an annotation of it' : `annotation ${id} of it`;
  if (boxSchema.safeParse(annotation).success)
    throw new PartloopError('data-invalid', `${which} has no mask: nobody can tell which pixels of a box are meant`, {
      hint: 'Draw masks or polygons.',
    });
  const { data, problem } = check(annotationSchema, annotation);
  if (problem !== null) throw new PartloopError('data-invalid', `${which} is not valid: ${problem}`);
  const { category_id, segmentation } = data;
  const value = classValue(manifest, names.get(String(category_id)) ?? `number ${category_id}`);
  const polygons = Array.isArray(segmentation);
  if (!polygons) checkSize(image, segmentation.size[1], segmentation.size[0], 'a mask of it');
  return { shape: segmentationShape(segmentation, value, image), polygons };
}

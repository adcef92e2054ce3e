import { z } from 'zod';
import { PartloopError } from '../../domain/errors.js';
import { check } from '../checked.js';
import { readJsonFile } from '../jsonFile.js';
import type { Manifest, ManifestImage } from '../manifest.js';
import { paintShapes, type Shape } from '../paint.js';
import { checkSize, classValue, type ReturnedImage } from '../returned.js';
import { segmentationSchema, segmentationShape } from './segmentation.js';

const numeric = z.union([z.number(), z.string()]);
const imageSchema = z.object({
  id: numeric,
  file_name: z.string().min(1).max(1_100),
  width: z.number().int().positive().optional(),
  height: z.number().int().positive().optional(),
  partloop_image_id: z.string().optional(),
});
const annotationSchema = z.object({
  image_id: numeric,
  category_id: numeric,
  segmentation: segmentationSchema,
});
const fileSchema = z.object({
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
export async function* readCocoReturned(path: string, manifest: Manifest): AsyncGenerator<ReturnedImage> {
  const { data, problem } = check(fileSchema, await readJsonFile(path));
  if (problem !== null) throw new PartloopError('input-invalid', `${path} is not a COCO annotation file: ${problem}`);
  const { images, categories, annotations } = data;
  const names = new Map(categories.map(({ id, name }) => [String(id), name]));
  const byImage = new Map<string, (typeof annotations)[number][]>(images.map(({ id }) => [String(id), []]));
  if (byImage.size !== images.length) throw new PartloopError('input-invalid', `${path} has two images with one id`);
  for (const annotation of annotations) byImage.get(String(annotation.image_id))?.push(annotation);
  for (const entry of images) {
    const own = byImage.get(String(entry.id)) ?? [];
    const kept = own.flatMap(({ attributes }) => attributes?.partloop_image_id ?? []);
    yield {
      name: entry.file_name,
      imageId: entry.partloop_image_id ?? kept[0] ?? null,
      read: async (image) => {
        checkSize(image, entry.width ?? image.width, entry.height ?? image.height, 'its entry');
        const parts = own.map((annotation) => toShape(annotation, image, manifest, names));
        return {
          raster: paintShapes(
            parts.map(({ shape }) => shape),
            image,
          ),
          polygons: parts.some(({ polygons }) => polygons),
        };
      },
    };
  }
}

function toShape(
  annotation: unknown,
  image: ManifestImage,
  manifest: Manifest,
  names: ReadonlyMap<string, string>,
): { shape: Shape; polygons: boolean } {
  const { data, problem } = check(annotationSchema, annotation);
  if (problem !== null) throw new PartloopError('data-invalid', `an annotation of it is not valid: ${problem}`);
  const { category_id, segmentation } = data;
  const value = classValue(manifest, names.get(String(category_id)) ?? `number ${category_id}`);
  const polygons = Array.isArray(segmentation);
  if (!polygons) checkSize(image, segmentation.size[1], segmentation.size[0], 'a mask of it');
  return { shape: segmentationShape(segmentation, value, image), polygons };
}

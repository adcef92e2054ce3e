import { z } from 'zod';
import { PartloopError } from '../../domain/errors.js';
import { polygonArea } from '../../domain/geometry/contours.js';
import { fillPolygon } from '../../domain/geometry/polygon.js';
import { readJsonFile } from '../jsonFile.js';
import type { Manifest, ManifestImage } from '../manifest.js';
import { checkSize, classValue, paintShapes, type ReturnedImage, type Shape } from '../returned.js';
import { paintRle, runLengths } from './rle.js';
import { segmentationSchema } from './segmentation.js';

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
  const parsed = fileSchema.safeParse(await readJsonFile(path));
  if (!parsed.success)
    throw new PartloopError('input-invalid', `${path} is not a COCO annotation file: ${z.prettifyError(parsed.error)}`);
  const { images, categories, annotations } = parsed.data;
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
  const parsed = annotationSchema.safeParse(annotation);
  if (!parsed.success)
    throw new PartloopError('data-invalid', `an annotation of it is not valid: ${z.prettifyError(parsed.error)}`);
  const { category_id, segmentation } = parsed.data;
  const value = classValue(manifest, names.get(String(category_id)) ?? `number ${category_id}`);
  const { width, height } = image;
  if (Array.isArray(segmentation)) {
    const paint = (raster: Uint8Array): void => {
      for (const ring of segmentation) fillPolygon(raster, width, height, ring, value);
    };
    const area = segmentation.reduce((sum, ring) => sum + polygonArea(ring), 0);
    return { shape: { value, area, paint }, polygons: true };
  }
  checkSize(image, segmentation.size[1], segmentation.size[0], 'a mask of it');
  const runs = runLengths(segmentation.counts);
  const area = runs.reduce((sum, run, index) => (index % 2 === 1 ? sum + run : sum), 0);
  return { shape: { value, area, paint: (raster) => paintRle(raster, width, height, runs, value) }, polygons: false };
}

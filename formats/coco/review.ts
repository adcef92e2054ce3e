import { z } from 'zod';
import { check } from '../../domain/base/checked.js';
import { PartloopError } from '../../domain/base/errors.js';
import type { Manifest, ManifestImage } from '../manifest.js';
import { paintShapes, type Shape } from '../paint.js';
import { readJsonFile } from '../reading/jsonFile.js';
import {
  checkSize,
  classValue,
  listedClasses,
  painted,
  type Returned,
  type ReturnedImage,
} from '../reading/returned.js';
import { annotationName, annotationsByImage, categoryNames, cocoId, parseAnnotation } from './file.js';
import { segmentationShape } from './segmentation.js';

const imageSchema = z.object({
  id: cocoId,
  file_name: z.string().min(1).max(1_100),
  width: z.number().int().positive().optional(),
  height: z.number().int().positive().optional(),
  partloop_image_id: z.string().optional(),
});
const fileSchema = z.object({
  info: z.looseObject({ partloop_export_id: z.string().optional() }).optional().catch(undefined),
  images: z.array(imageSchema),
  categories: z.array(z.object({ id: cocoId, name: z.string() })),
  annotations: z.array(
    z.looseObject({
      image_id: cocoId,
      attributes: z.object({ partloop_image_id: z.string().optional() }).optional().catch(undefined),
    }),
  ),
});

/**
 * Images of a COCO file that a tool wrote. Categories are matched by name, since tools renumber them; our image ids are
 * taken from the image or its annotations' attributes. Masks are run lengths or polygons; pieces may have been merged.
 *
 * @throws PartloopError `input-invalid` if the file as a whole is unusable
 */
export async function readCocoReturned(path: string, manifest: Manifest): Promise<Returned> {
  const { data, problem } = check(fileSchema, await readJsonFile(path));
  if (problem !== null) throw new PartloopError('input-invalid', `${path} is not a COCO annotation file: ${problem}`);
  const { info, images, categories, annotations } = data;
  const names = categoryNames(categories, path);
  const ids = images.map(({ id }) => id);
  const { byImage, strays } = annotationsByImage(annotations, ids, path);
  const strayCounts = new Map<string | null, number>();
  for (const { owner } of strays) strayCounts.set(owner, (strayCounts.get(owner) ?? 0) + 1);
  const returned = images.map((entry): ReturnedImage => {
    const own = byImage.get(entry.id) ?? [];
    const [kept, ...others] = new Set(own.flatMap(({ attributes }) => attributes?.partloop_image_id || []));
    return {
      name: entry.file_name,
      imageId: entry.partloop_image_id ?? null,
      exportId: info?.partloop_export_id ?? null,
      ...(kept === undefined || others.length > 0 ? {} : { piecesId: kept }),
      read: async (image) => {
        checkSize(image, entry.width ?? image.width, entry.height ?? image.height, 'its entry');
        const parts = own.map((annotation, index) =>
          toShape(annotation, `${annotationName(annotation, index)} of it`, image, manifest, names),
        );
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
    strays: [...strayCounts].map(([owner, count]) => `image ${owner}, which has ${count} annotations and no entry`),
  };
}

function toShape(
  annotation: unknown,
  name: string,
  image: ManifestImage,
  manifest: Manifest,
  names: ReadonlyMap<string, string>,
): { shape: Shape; polygons: boolean } {
  const { category, segmentation } = parseAnnotation(annotation, name);
  const value = classValue(manifest, names.get(category) ?? `number ${category}`);
  const polygons = Array.isArray(segmentation);
  if (!polygons) checkSize(image, segmentation.size[1], segmentation.size[0], 'a mask of it');
  return { shape: segmentationShape(segmentation, value, image), polygons };
}

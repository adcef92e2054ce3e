import { z } from 'zod';
import { PartloopError } from '../../domain/errors.js';
import { NO_TAGS } from '../../domain/tags.js';
import { BACKGROUND, labelNames, type Taxonomy } from '../../domain/taxonomy.js';
import { check } from '../checked.js';
import { imageSources } from '../imageSources.js';
import type { ImportItem } from '../importItem.js';
import { readJsonFile } from '../jsonFile.js';
import { paintShapes, type Shape } from '../paint.js';
import { segmentationSchema, segmentationShape } from './segmentation.js';

const annotationSchema = z.object({
  image_id: z.number(),
  category_id: z.number(),
  segmentation: segmentationSchema,
});
const ownerSchema = z.object({ image_id: z.number() });
const fileSchema = z.object({
  images: z.array(
    z.object({
      id: z.number(),
      file_name: z.string().min(1).max(1_024),
      width: z.number().int().positive(),
      height: z.number().int().positive(),
    }),
  ),
  categories: z.array(z.object({ id: z.number(), name: z.string() })),
  annotations: z.array(z.unknown()),
});
type CocoFile = z.output<typeof fileSchema>;

/** Names that mean "no part" in other people's category lists. */
const BACKGROUND_NAMES = new Set(['background', '_background_']);

/**
 * Items of a COCO annotation file with polygons or run-length masks. `images` is a folder, or an `s3://` prefix whose
 * pictures stay where they are. Categories are matched to classes by name; where annotations overlap, the smaller one is on
 * top (`paintShapes`).
 *
 * @throws PartloopError `input-invalid` where the file as a whole is of no use
 */
export async function* readCoco(images: string, annotations: string, taxonomy: Taxonomy): AsyncGenerator<ImportItem> {
  const source = await imageSources(images);
  const file = await readCocoFile(annotations);
  const labels = categoryLabels(file, taxonomy, annotations);
  const byImage = annotationsByImage(file, annotations);
  for (const image of file.images) {
    yield {
      fileName: image.file_name,
      image: source(image.file_name),
      label: async (size) => {
        if (size.width !== image.width || size.height !== image.height) {
          throw new PartloopError(
            'data-invalid',
            `the annotations are for ${image.width}×${image.height}, the upright picture is ${size.width}×${size.height}`,
          );
        }
        return paint(byImage.get(image.id) ?? [], size, labels);
      },
      tags: NO_TAGS,
      vehicleId: null,
      source: 'in-house',
      split: null,
    };
  }
}

async function readCocoFile(path: string): Promise<CocoFile> {
  const { data, problem } = check(fileSchema, await readJsonFile(path));
  if (problem !== null) throw new PartloopError('input-invalid', `${path} is not a COCO annotation file: ${problem}`);
  return data;
}

function annotationsByImage({ images, annotations }: CocoFile, path: string): Map<number, unknown[]> {
  const byImage = new Map<number, unknown[]>(images.map(({ id }) => [id, []]));
  if (byImage.size !== images.length) throw new PartloopError('input-invalid', `${path} has two images with one id`);
  for (const [index, annotation] of annotations.entries()) {
    const owner = ownerSchema.safeParse(annotation);
    if (!owner.success) throw new PartloopError('input-invalid', `${path}: annotation ${index} names no image`);
    // Files cut down to some of their images often keep the annotations of the others.
    byImage.get(owner.data.image_id)?.push(annotation);
  }
  return byImage;
}

/** Category id -> label value; null for a category that the taxonomy does not have. */
function categoryLabels(
  { categories }: CocoFile,
  taxonomy: Taxonomy,
  path: string,
): Map<number, { name: string; label: number | null }> {
  const names = labelNames(taxonomy);
  const labels = new Map(
    categories.map(({ id, name }) => {
      const label = BACKGROUND_NAMES.has(name) ? BACKGROUND : names.indexOf(name);
      return [id, { name, label: label === -1 ? null : label }];
    }),
  );
  if (![...labels.values()].some(({ label }) => label !== null && label !== BACKGROUND)) {
    throw new PartloopError(
      'input-invalid',
      `${path} has no category of taxonomy ${taxonomy.name}: it has ${categories.map(({ name }) => name).join(', ')}`,
      { hint: `The taxonomy has ${names.slice(1).join(', ')}.` },
    );
  }
  return labels;
}

function paint(
  annotations: readonly unknown[],
  size: { width: number; height: number },
  labels: ReadonlyMap<number, { name: string; label: number | null }>,
): Uint8Array {
  return paintShapes(
    annotations.map((annotation) => toShape(annotation, size, labels)),
    size,
  );
}

function toShape(
  annotation: unknown,
  { width, height }: { width: number; height: number },
  labels: ReadonlyMap<number, { name: string; label: number | null }>,
): Shape {
  const { data, problem } = check(annotationSchema, annotation);
  if (problem !== null) throw new PartloopError('data-invalid', `an annotation of it is not valid: ${problem}`);
  const { category_id, segmentation } = data;
  const category = labels.get(category_id);
  if (category?.label == null)
    throw new PartloopError('data-invalid', `category ${category?.name ?? category_id} is not in the taxonomy`);
  if (!Array.isArray(segmentation) && (segmentation.size[0] !== height || segmentation.size[1] !== width))
    throw new PartloopError(
      'data-invalid',
      `a mask of it is ${segmentation.size[1]}×${segmentation.size[0]}, not ${width}×${height}`,
    );
  return segmentationShape(segmentation, category.label, { width, height });
}

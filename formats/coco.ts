import { readFile, realpath, stat } from 'node:fs/promises';
import { z } from 'zod';
import { PartloopError } from '../domain/errors.js';
import { fillPolygon } from '../domain/geometry/polygon.js';
import { NO_TAGS } from '../domain/tags.js';
import { BACKGROUND, labelNames, type Taxonomy } from '../domain/taxonomy.js';
import { paintRle } from './cocoRle.js';
import type { ImportItem } from './importItem.js';
import { readInside } from './masks.js';

const MAX_FILE_BYTES = 2 * 2 ** 30;
const coordinate = z.number().min(-1e6).max(1e6);
const ring = z
  .array(coordinate)
  .min(6)
  .refine((points) => points.length % 2 === 0, 'a polygon is a list of x, y pairs');
const rle = z.object({
  size: z.tuple([z.number().int().positive(), z.number().int().positive()]),
  counts: z.union([z.array(z.number().int().nonnegative()), z.string()]),
});
const annotationSchema = z.object({
  image_id: z.number(),
  category_id: z.number(),
  segmentation: z.union([z.array(ring), rle]),
  area: z.number().nonnegative().optional(),
});
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
type Annotation = z.output<typeof annotationSchema>;
type CocoFile = z.output<typeof fileSchema>;

/** Names that mean "no part" in other people's category lists. */
const BACKGROUND_NAMES = new Set(['background', '_background_']);

/**
 * Items of a COCO annotation file with polygons or run-length masks. Categories are matched to classes by name; larger
 * annotations are painted first, so that a mirror on a door stays visible.
 */
export async function* readCoco(images: string, annotations: string, taxonomy: Taxonomy): AsyncGenerator<ImportItem> {
  const folder = await realpath(images).catch((cause: unknown) => {
    throw new PartloopError('input-invalid', `--images ${images} is not a folder`, { cause });
  });
  const file = await readCocoFile(annotations);
  const labels = categoryLabels(file, taxonomy, annotations);
  const byImage = new Map<number, unknown[]>();
  for (const annotation of file.annotations) {
    const id = z.object({ image_id: z.number() }).safeParse(annotation);
    if (id.success) byImage.set(id.data.image_id, [...(byImage.get(id.data.image_id) ?? []), annotation]);
  }
  for (const image of file.images) {
    yield {
      fileName: image.file_name,
      image: { kind: 'bytes', read: () => readInside(folder, image.file_name) },
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
  const facts = await stat(path).catch((cause: unknown) => {
    throw new PartloopError('input-invalid', `--annotations ${path} cannot be read`, { cause });
  });
  if (facts.size > MAX_FILE_BYTES)
    throw new PartloopError('input-invalid', `${path} has ${facts.size} bytes, more than ${MAX_FILE_BYTES}`);
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw new PartloopError('input-invalid', `${path} is not JSON`, { cause });
  }
  const parsed = fileSchema.safeParse(value);
  if (!parsed.success)
    throw new PartloopError('input-invalid', `${path} is not a COCO annotation file: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
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
  { width, height }: { width: number; height: number },
  labels: ReadonlyMap<number, { name: string; label: number | null }>,
): Uint8Array {
  const parsed = annotations.map((annotation) => {
    const result = annotationSchema.safeParse(annotation);
    if (!result.success)
      throw new PartloopError('data-invalid', `an annotation of it is not valid: ${z.prettifyError(result.error)}`);
    return result.data;
  });
  const raster = new Uint8Array(width * height);
  for (const annotation of parsed.sort((a, b) => areaOf(b) - areaOf(a))) {
    const category = labels.get(annotation.category_id);
    if (category?.label == null)
      throw new PartloopError(
        'data-invalid',
        `category ${category?.name ?? annotation.category_id} is not in the taxonomy`,
      );
    const { segmentation } = annotation;
    if (Array.isArray(segmentation)) {
      for (const points of segmentation) fillPolygon(raster, width, height, points, category.label);
    } else {
      if (segmentation.size[0] !== height || segmentation.size[1] !== width)
        throw new PartloopError(
          'data-invalid',
          `a mask of it is ${segmentation.size[1]}×${segmentation.size[0]}, not ${width}×${height}`,
        );
      paintRle(raster, width, height, segmentation.counts, category.label);
    }
  }
  return raster;
}

function areaOf({ area, segmentation }: Annotation): number {
  if (area !== undefined) return area;
  if (!Array.isArray(segmentation)) return Number.POSITIVE_INFINITY;
  return segmentation.reduce((sum, points) => sum + ringArea(points), 0);
}

/** Shoelace formula. */
function ringArea(points: readonly number[]): number {
  let twice = 0;
  for (let at = 0; at < points.length; at += 2) {
    const next = (at + 2) % points.length;
    twice +=
      (points[at] as number) * (points[next + 1] as number) - (points[next] as number) * (points[at + 1] as number);
  }
  return Math.abs(twice) / 2;
}

import { z } from 'zod';
import { check, numbers } from '../../domain/base/checked.js';
import { PartloopError } from '../../domain/base/errors.js';
import type { Manifest, ManifestImage } from '../manifest.js';
import { paintShapes, polygonShape, runsShape, type Shape } from '../paint.js';
import { readJsonFile } from '../reading/jsonFile.js';
import {
  checkSize,
  classValue,
  painted,
  type Returned,
  type ReturnedImage,
  type ReturnedRaster,
} from '../reading/returned.js';
import { decodeBrush } from './brush.js';

const kindSchema = z.looseObject({ type: z.string().catch('unknown') }).catch({ type: 'unknown' });
/** Kinds of regions that define pixels. */
const SHAPES: ReadonlySet<string> = new Set(['brushlabels', 'polygonlabels']);
/** Kinds of answers that have nothing to do with pixels. All others may be regions. */
const WORDS: ReadonlySet<string> = new Set([
  ...['choices', 'textarea', 'text', 'relation', 'taxonomy', 'rating', 'number', 'datetime', 'pairwise', 'ranker'],
]);

/** Tolerance outside the picture, for slips of the hand. */
const SLIP = 5;
const isPoint = (point: unknown): point is [number, number] =>
  Array.isArray(point) &&
  point.length === 2 &&
  point.every((at) => typeof at === 'number' && at >= -SLIP && at <= 100 + SLIP);
const pointsSchema = z.custom<[number, number][]>(
  (value) => Array.isArray(value) && value.length >= 3 && value.every(isPoint),
  'a polygon is a list of at least three points in percent of the picture',
);
const regionSchema = z.object({
  type: z.string(),
  original_width: z.number().int().positive(),
  original_height: z.number().int().positive(),
  image_rotation: z.number().default(0),
  value: z.object({
    rle: numbers('a mask is a list of bytes', (byte) => Number.isInteger(byte) && byte >= 0 && byte <= 255).optional(),
    points: pointsSchema.optional(),
    brushlabels: z.array(z.string()).optional(),
    polygonlabels: z.array(z.string()).optional(),
  }),
});
type Region = z.output<typeof regionSchema>;
const annotationSchema = z.object({
  result: z.array(z.unknown()),
  was_cancelled: z.boolean().optional(),
  updated_at: z.string().optional(),
});
const fileSchema = z.array(
  z.object({
    data: z.looseObject({
      partloop_image_id: z.string().optional(),
      partloop_export_id: z.string().optional(),
      file_name: z.string().optional(),
      image: z.string().optional(),
    }),
    annotations: z.array(annotationSchema).default([]),
  }),
);

/** Milliseconds; as texts, times of different zones would sort wrongly. */
const changedAt = ({ updated_at = '' }: z.output<typeof annotationSchema>): number => Date.parse(updated_at) || 0;

/**
 * Images of a Label Studio export in its JSON format (not JSON-MIN, which omits the annotations' sizes). Of several
 * annotations of a task the last changed one counts; skipped ones do not.
 *
 * @throws PartloopError `input-invalid` if the file as a whole is unusable
 */
export async function readLabelStudioReturned(path: string, manifest: Manifest): Promise<Returned> {
  const { data: tasks, problem } = check(fileSchema, await readJsonFile(path));
  if (problem !== null) {
    throw new PartloopError('input-invalid', `${path} is not a list of Label Studio tasks: ${problem}`, {
      hint: 'Export the project as JSON, not as JSON-MIN.',
    });
  }
  const images = tasks.map(({ data, annotations }): ReturnedImage => {
    const done = annotations
      .filter(({ was_cancelled }) => was_cancelled !== true)
      .sort((a, b) => changedAt(a) - changedAt(b));
    return {
      name: data.file_name ?? data.image ?? '',
      imageId: data.partloop_image_id ?? null,
      exportId: data.partloop_export_id ?? null,
      read: async (image) => {
        const last = done.at(-1);
        if (last === undefined) throw new PartloopError('data-invalid', 'nobody annotated it, or it was skipped');
        return readRegions(last.result, image, manifest);
      },
    };
  });
  return { images, classes: null };
}

function readRegions(result: readonly unknown[], image: ManifestImage, manifest: Manifest): ReturnedRaster {
  const shapes: Shape[] = [];
  let polygons = false;
  for (const entry of result) {
    const kind = kindSchema.parse(entry).type;
    if (WORDS.has(kind)) continue;
    if (!SHAPES.has(kind))
      throw new PartloopError(
        'data-invalid',
        `it has a region of the kind ${kind}, which is neither a mask nor a polygon`,
        {
          hint: 'Draw it with the brush or as a polygon: other regions do not tell their pixels.',
        },
      );
    const { data, problem } = check(regionSchema, entry);
    if (problem !== null) throw new PartloopError('data-invalid', `one of its regions is not valid: ${problem}`);
    shapes.push(toShape(data, image, manifest));
    polygons ||= data.value.points !== undefined;
  }
  return { raster: painted(paintShapes(shapes, image), shapes), polygons };
}

function toShape(
  { original_width, original_height, image_rotation, value }: Region,
  image: ManifestImage,
  manifest: Manifest,
): Shape {
  if (image_rotation !== 0)
    throw new PartloopError('data-invalid', `it was rotated by ${image_rotation}° in the tool`, {
      hint: 'Rotate it back in Label Studio and export again.',
    });
  checkSize(image, original_width, original_height, 'a region of it');
  const { width, height } = image;
  const [name, ...more] = value.brushlabels ?? value.polygonlabels ?? [];
  if (name === undefined || more.length > 0)
    throw new PartloopError(
      'data-invalid',
      `one of its regions has ${more.length === 0 ? 'no label' : 'several labels'}`,
    );
  const label = classValue(manifest, name);
  const { rle, points } = value;
  if (points !== undefined) {
    const ring = points.flatMap(([x, y]) => [(x / 100) * width, (y / 100) * height]);
    return polygonShape([ring], label, image);
  }
  if (rle === undefined) throw new PartloopError('data-invalid', 'one of its brush regions has no mask');
  return runsShape(decodeBrush(rle, width * height), label);
}

import { z } from 'zod';
import { PartloopError } from '../../domain/errors.js';
import { polygonArea } from '../../domain/geometry/contours.js';
import { fillPolygon } from '../../domain/geometry/polygon.js';
import { readJsonFile } from '../jsonFile.js';
import type { Manifest, ManifestImage } from '../manifest.js';
import {
  checkSize,
  classValue,
  paintShapes,
  type ReturnedImage,
  type ReturnedRaster,
  type Shape,
} from '../returned.js';
import { decodeBrush } from './brush.js';

const percent = z.number().min(-5).max(105);
const regionSchema = z.object({
  type: z.string(),
  original_width: z.number().int().positive(),
  original_height: z.number().int().positive(),
  image_rotation: z.number().default(0),
  value: z.object({
    rle: z.array(z.number().int().min(0).max(255)).optional(),
    points: z
      .array(z.tuple([percent, percent]))
      .min(3)
      .optional(),
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
      file_name: z.string().optional(),
      image: z.string().optional(),
    }),
    annotations: z.array(annotationSchema).default([]),
  }),
);

/**
 * Images of a Label Studio export in its JSON format (not JSON-MIN, which leaves the annotations' sizes out). Of several
 * annotations of a task the one that was changed last counts; skipped ones do not.
 *
 * @throws PartloopError `input-invalid` where the file as a whole is of no use
 */
export async function* readLabelStudioReturned(path: string, manifest: Manifest): AsyncGenerator<ReturnedImage> {
  const parsed = fileSchema.safeParse(await readJsonFile(path));
  if (!parsed.success) {
    throw new PartloopError(
      'input-invalid',
      `${path} is not a list of Label Studio tasks: ${z.prettifyError(parsed.error)}`,
      { hint: 'Export the project as JSON, not as JSON-MIN.' },
    );
  }
  for (const { data, annotations } of parsed.data) {
    const done = annotations
      .filter(({ was_cancelled }) => was_cancelled !== true)
      .sort((a, b) =>
        (a.updated_at ?? '') < (b.updated_at ?? '') ? -1 : (a.updated_at ?? '') > (b.updated_at ?? '') ? 1 : 0,
      );
    yield {
      name: data.file_name ?? data.image ?? '',
      imageId: data.partloop_image_id ?? null,
      read: async (image) => {
        const last = done.at(-1);
        if (last === undefined) throw new PartloopError('data-invalid', 'nobody annotated it, or it was skipped');
        return readRegions(last.result, image, manifest);
      },
    };
  }
}

function readRegions(result: readonly unknown[], image: ManifestImage, manifest: Manifest): ReturnedRaster {
  const shapes: Shape[] = [];
  let polygons = false;
  for (const entry of result) {
    const kind = z.looseObject({ type: z.string().default('') }).safeParse(entry);
    // Choices, texts and relations say nothing of pixels.
    if (!kind.success || !/^(brush|polygon)labels$/.test(kind.data.type)) continue;
    const parsed = regionSchema.safeParse(entry);
    if (!parsed.success)
      throw new PartloopError('data-invalid', `a region of it is not valid: ${z.prettifyError(parsed.error)}`);
    shapes.push(toShape(parsed.data, image, manifest));
    polygons ||= parsed.data.value.points !== undefined;
  }
  return { raster: paintShapes(shapes, image), polygons };
}

function toShape(
  { original_width, original_height, image_rotation, value }: Region,
  image: ManifestImage,
  manifest: Manifest,
): Shape {
  if (image_rotation !== 0)
    throw new PartloopError('data-invalid', `it was turned by ${image_rotation}° in the tool`, {
      hint: 'Turn it back in Label Studio and export again.',
    });
  checkSize(image, original_width, original_height, 'a region of it');
  const { width, height } = image;
  const name = (value.brushlabels ?? value.polygonlabels)?.[0];
  if (name === undefined) throw new PartloopError('data-invalid', 'a region of it has no label');
  const label = classValue(manifest, name);
  const { rle, points } = value;
  if (points !== undefined) {
    const ring = points.flatMap(([x, y]) => [(x / 100) * width, (y / 100) * height]);
    const paint = (raster: Uint8Array): void => fillPolygon(raster, width, height, ring, label);
    return { value: label, area: polygonArea(ring), paint };
  }
  if (rle === undefined) throw new PartloopError('data-invalid', 'a brush region of it has no mask');
  // Decoded again to paint, so that one mask at a time is in memory.
  const area = decodeBrush(rle, width * height).reduce((sum, inside) => sum + inside, 0);
  const paint = (raster: Uint8Array): void =>
    decodeBrush(rle, width * height).forEach((inside, pixel) => {
      if (inside === 1) raster[pixel] = label;
    });
  return { value: label, area, paint };
}

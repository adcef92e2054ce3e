import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PartloopError } from '../../domain/errors.js';
import { polygonArea } from '../../domain/geometry/contours.js';
import { localFolder } from '../imageSources.js';
import type { Manifest, ManifestImage } from '../manifest.js';
import { classValue, filesBelow, paintShapes, type ReturnedImage, type Shape } from '../returned.js';
import { partClasses, stemOf } from '../writer.js';
import { paintPolygons } from './polygons.js';

const MAX_YAML_BYTES = 2 ** 20;
const MARGIN = 0.02;

/** Images of a folder of YOLO segmentation labels; class numbers are read by the names in `data.yaml`. */
export async function* readYoloReturned(path: string, manifest: Manifest): AsyncGenerator<ReturnedImage> {
  const values = await readClasses(path, manifest);
  const folder = join(path, 'labels');
  const read = await localFolder(folder, folder);
  for (const file of await filesBelow(folder, '.txt')) {
    yield {
      name: stemOf(file),
      imageId: null,
      read: async (image) => {
        const lines = (await read(file)).toString('utf8').split('\n');
        const shapes = lines.filter((line) => line.trim() !== '').map((line) => toShape(line, values, image));
        return { raster: paintShapes(shapes, image), polygons: true };
      },
    };
  }
}

function toShape(line: string, values: ReadonlyMap<number, number>, image: ManifestImage): Shape {
  const [number, ...points] = line.trim().split(/\s+/).map(Number);
  if (points.length === 4)
    throw new PartloopError('data-invalid', 'it has boxes, not polygons', {
      hint: 'Export for segmentation, not for detection.',
    });
  const valid = points.every((point) => point >= -MARGIN && point <= 1 + MARGIN);
  if (points.length < 6 || points.length % 2 === 1 || !valid)
    throw new PartloopError('data-invalid', `it has a line that is no polygon of fractions: ${line.slice(0, 60)}`);
  const value = values.get(number ?? -1);
  if (value === undefined) throw new PartloopError('data-invalid', `class ${number} is not in data.yaml`);
  const { width, height } = image;
  return {
    value,
    area: polygonArea(points) * width * height,
    paint: (raster) => {
      const shape = paintPolygons([{ value, points }], width, height);
      shape.forEach((painted, pixel) => {
        if (painted !== 0) raster[pixel] = painted;
      });
    },
  };
}

/** YOLO class number -> label value. `names` is a list or a map, on one line or on many. */
async function readClasses(path: string, manifest: Manifest): Promise<Map<number, number>> {
  const file = join(path, 'data.yaml');
  const facts = await stat(file).catch(() => null);
  if (facts === null) return new Map(partClasses(manifest.classes).map(({ value }) => [value - 1, value]));
  if (facts.size > MAX_YAML_BYTES) throw new PartloopError('input-invalid', `${file} is no list of names`);
  const text = await readFile(file, 'utf8');
  const block = /^names:([\s\S]*?)(?=^[^\s-]|(?![\s\S]))/m.exec(text)?.[1] ?? '';
  const mapped = [...block.matchAll(/(\d+)\s*:\s*['"]?([\w -]+?)['"]?\s*(?=[,}\r\n]|$)/g)];
  const names =
    mapped.length > 0
      ? mapped.map(([, number, name]) => [Number(number), name ?? ''] as const)
      : [...block.matchAll(/[A-Za-z_][\w -]*/g)].map(([name], number) => [number, name.trim()] as const);
  if (names.length === 0) throw new PartloopError('input-invalid', `${file} lists no class names`);
  return new Map(names.map(([number, name]) => [number, classValue(manifest, name)]));
}

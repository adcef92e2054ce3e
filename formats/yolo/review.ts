import { join } from 'node:path';
import { PartloopError } from '../../domain/errors.js';
import { localFolder } from '../imageSources.js';
import type { Manifest, ManifestImage } from '../manifest.js';
import { paintShapes, type Shape } from '../paint.js';
import { classValue, filesBelow, type ReturnedImage } from '../returned.js';
import { partClasses, stemOf } from '../writer.js';
import { readClassNames } from './dataYaml.js';
import { yoloShape } from './polygons.js';

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
  return yoloShape({ value, points }, image);
}

/** YOLO class number -> label value, by the names in `data.yaml`; by the taxonomy's own numbers where there is none. */
async function readClasses(path: string, manifest: Manifest): Promise<Map<number, number>> {
  const names = await readClassNames(join(path, 'data.yaml'));
  if (names === null) return new Map(partClasses(manifest.classes).map(({ value }) => [value - 1, value]));
  return new Map([...names].map(([number, name]) => [number, classValue(manifest, name)]));
}

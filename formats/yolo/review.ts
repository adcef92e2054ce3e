import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PartloopError } from '../../domain/base/errors.js';
import type { Manifest, ManifestImage } from '../manifest.js';
import { dropEnding } from '../names.js';
import { paintShapes, type Shape } from '../paint.js';
import { localFolder } from '../reading/imageSources.js';
import {
  classValue,
  filesBelow,
  listedClasses,
  listLines,
  painted,
  type Returned,
  type ReturnedImage,
} from '../reading/returned.js';
import { readClassNames } from './dataYaml.js';
import { yoloShape } from './polygons.js';

const CLASSES = 'data.yaml';
const MARGIN = 0.02;

/** Images of a folder of YOLO segmentation labels; class numbers are resolved by the names in `data.yaml`. */
export async function readYoloReturned(path: string, manifest: Manifest): Promise<Returned> {
  const names = await readClasses(path);
  const folder = join(path, 'labels');
  const read = await localFolder(folder, folder);
  const images = (await filesBelow(folder, '.txt')).map(
    (file): ReturnedImage => ({
      name: file.slice(0, -'.txt'.length),
      isLabelFile: true,
      imageId: null,
      read: async (image) => {
        const lines = listLines((await read(file)).toString('utf8'));
        const shapes = lines.map((line) => toShape(line, names, image, manifest));
        return { raster: painted(paintShapes(shapes, image), shapes), polygons: true };
      },
    }),
  );
  const classes = listedClasses(manifest, [...names.values()], join(path, CLASSES));
  return { images, classes, listed: await listedPictures(path) };
}

/**
 * Pictures that the folder's lists (`images.txt`, `train.txt`, …) name: YOLO tools write no file for a picture without
 * labels.
 */
async function listedPictures(path: string): Promise<string[]> {
  const read = await localFolder(path, path);
  const entries = await readdir(path, { withFileTypes: true });
  const texts = entries.filter((entry) => entry.isFile() && entry.name.toLowerCase().endsWith('.txt'));
  const files = texts.map(({ name }) => name).sort();
  let names: string[] = [];
  for (const file of files) names = names.concat(listLines((await read(file)).toString('utf8')));
  // Lists of other things, such as classes, name no files.
  return names.map((name) => name.trim()).filter((name) => /[/\\]/.test(name) || dropEnding(name) !== name);
}

function toShape(line: string, names: ReadonlyMap<number, string>, image: ManifestImage, manifest: Manifest): Shape {
  const [number, ...points] = line.trim().split(/\s+/).map(Number);
  if (points.length === 4)
    throw new PartloopError('data-invalid', 'it has boxes, not polygons', {
      hint: 'Export for segmentation, not for detection.',
    });
  const valid = points.every((point) => point >= -MARGIN && point <= 1 + MARGIN);
  if (points.length < 6 || points.length % 2 === 1 || !valid)
    throw new PartloopError('data-invalid', `it has a line that is not a polygon of fractions: ${line.slice(0, 60)}`);
  const name = names.get(number ?? -1);
  if (name === undefined) throw new PartloopError('data-invalid', `class ${number} is not in ${CLASSES}`);
  return yoloShape({ value: classValue(manifest, name), points }, image);
}

/** YOLO class number -> class name. */
async function readClasses(path: string): Promise<Map<number, string>> {
  const file = join(path, CLASSES);
  const names = await readClassNames(file);
  if (names !== null) return names;
  throw new PartloopError('input-invalid', `there is no ${file}, which names the class numbers`, {
    hint: `Put the ${CLASSES} of the tool there, or that of the export if the tool kept its numbers.`,
  });
}

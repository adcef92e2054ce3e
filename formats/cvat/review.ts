import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PartloopError } from '../../domain/base/errors.js';
import { BACKGROUND } from '../../domain/taxonomy.js';
import type { Manifest } from '../manifest.js';
import { colourTable } from '../masks/colourMask.js';
import { pngMasks } from '../masks/review.js';
import type { Colour } from '../palette.js';
import { localFolder } from '../reading/imageSources.js';
import { filesBelow, findClass, listedClasses, listLines, type Returned } from '../reading/returned.js';

const MAX_LABELMAP_BYTES = 2 ** 20;
const LINE = /^([^:#]+):(\d{1,3}),(\d{1,3}),(\d{1,3}):/;

/**
 * Images of CVAT's "Segmentation mask 1.1", unpacked. CVAT paints its own colours: the returned `labelmap.txt` tells
 * the class of each.
 *
 * @throws PartloopError `input-invalid` without a label map
 */
export async function readCvatReturned(path: string, manifest: Manifest): Promise<Returned> {
  const file = join(path, 'labelmap.txt');
  const labels = await readLabelMap(file);
  const classes = listedClasses(
    manifest,
    labels.map(({ name }) => name),
    file,
  );
  // An unknown label of the tool is an error only if a picture uses it.
  const entries = labels.flatMap(({ name, colour }) => {
    const value = findClass(manifest, name);
    return value === null ? [] : [{ value, colour }];
  });
  // Black pixels are unpainted, unless a label has that colour.
  if (
    !entries.some(({ value }) => value === BACKGROUND) &&
    !labels.some(({ colour }) => colour.every((part) => part === 0))
  )
    entries.push({ value: BACKGROUND, colour: [0, 0, 0] });
  return {
    images: await pngMasks(join(path, 'SegmentationClass'), colourTable(entries)),
    classes,
    listed: await readImageSets(join(path, 'ImageSets')),
  };
}

/** Names of the pictures of a task: CVAT writes no mask for one without labels. */
async function readImageSets(folder: string): Promise<string[]> {
  if ((await stat(folder).catch(() => null)) === null) return [];
  const read = await localFolder(folder, folder);
  let names: string[] = [];
  for (const file of await filesBelow(folder, '.txt'))
    names = names.concat(listLines((await read(file)).toString('utf8')));
  return names;
}

/** @throws PartloopError `input-invalid` if two labels share a colour */
async function readLabelMap(file: string): Promise<{ name: string; colour: Colour }[]> {
  const facts = await stat(file).catch(() => null);
  if (facts === null || facts.size > MAX_LABELMAP_BYTES)
    throw new PartloopError('input-invalid', `${file} is not there or is no label map`, {
      hint: 'CVAT writes it into the same archive as SegmentationClass.',
    });
  const names = new Map<string, string>();
  return (await readFile(file, 'utf8')).split(/\r?\n/).flatMap((line) => {
    const [, name, red, green, blue] = LINE.exec(line.replace(/^\uFEFF/, '')) ?? [];
    if (name === undefined) return [];
    const colour: Colour = [Number(red), Number(green), Number(blue)];
    if (Math.max(...colour) > 255)
      throw new PartloopError(
        'input-invalid',
        `${file} gives ${name} the colour ${colour.join(',')}: parts end at 255`,
      );
    const other = names.get(colour.join());
    if (other !== undefined && other !== name)
      throw new PartloopError(
        'input-invalid',
        `${file} gives ${other} and ${name} the same colour ${colour.join(',')}`,
      );
    names.set(colour.join(), name);
    return [{ name, colour }];
  });
}

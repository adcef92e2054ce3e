import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PartloopError } from '../../domain/errors.js';
import type { Manifest } from '../manifest.js';
import { colourTable } from '../masks/colourMask.js';
import { pngMasks } from '../masks/review.js';
import { classValue, type ReturnedImage } from '../returned.js';

const MAX_LABELMAP_BYTES = 2 ** 20;
const LINE = /^([^:#]+):(\d{1,3}),(\d{1,3}),(\d{1,3}):/;

/**
 * Images of CVAT's "Segmentation mask 1.1", unpacked. CVAT paints its own colours: `labelmap.txt` of what came back says which
 * class each one is.
 *
 * @throws PartloopError `input-invalid` without a label map
 */
export async function* readCvatReturned(path: string, manifest: Manifest): AsyncGenerator<ReturnedImage> {
  const known = manifest.classes.map(({ value }) => value);
  yield* pngMasks(join(path, 'SegmentationClass'), colourTable(await readLabelMap(path, manifest), known));
}

async function readLabelMap(
  path: string,
  manifest: Manifest,
): Promise<{ value: number; colour: [number, number, number] }[]> {
  const file = join(path, 'labelmap.txt');
  const facts = await stat(file).catch(() => null);
  if (facts === null || facts.size > MAX_LABELMAP_BYTES)
    throw new PartloopError('input-invalid', `${file} is not there or is no label map`, {
      hint: 'CVAT writes it into the same archive as SegmentationClass.',
    });
  const entries = (await readFile(file, 'utf8')).split(/\r?\n/).flatMap((line) => {
    const [, name, red, green, blue] = LINE.exec(line) ?? [];
    if (name === undefined) return [];
    // A label of the tool that we do not have is an error only where a picture uses it.
    const value = valueOrNull(manifest, name);
    return value === null
      ? []
      : [{ value, colour: [Number(red), Number(green), Number(blue)] as [number, number, number] }];
  });
  if (entries.length === 0)
    throw new PartloopError('input-invalid', `${file} has no label of taxonomy ${manifest.taxonomy}`);
  return entries;
}

function valueOrNull(manifest: Manifest, name: string): number | null {
  try {
    return classValue(manifest, name);
  } catch {
    return null;
  }
}

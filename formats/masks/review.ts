import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Manifest } from '../manifest.js';
import { localFolder } from '../reading/imageSources.js';
import { checkSize, filesBelow, type Returned, type ReturnedImage } from '../reading/returned.js';
import { type ColourTable, colourTable, decodeColourMask } from './colourMask.js';

/** Images of a folder of index masks, `masks/<name>.png` or the PNGs directly in it. They have no list of classes. */
export async function readMasksReturned(path: string, manifest: Manifest): Promise<Returned> {
  const inner = join(path, 'masks');
  const folder = (await stat(inner).catch(() => null)) === null ? path : inner;
  const known = manifest.classes.map(({ value }) => value);
  return { images: await pngMasks(folder, colourTable(manifest.classes, known)), classes: null };
}

/** One image per PNG below `folder`, named by its path. */
export async function pngMasks(folder: string, table: ColourTable): Promise<ReturnedImage[]> {
  const read = await localFolder(folder, folder);
  return (await filesBelow(folder, '.png')).map((file) => ({
    name: file.slice(0, -'.png'.length),
    isLabelFile: true,
    imageId: null,
    read: async (image) => {
      const mask = decodeColourMask(await read(file), file, table);
      checkSize(image, mask.width, mask.height, 'its mask');
      return { raster: mask.pixels, polygons: false };
    },
  }));
}

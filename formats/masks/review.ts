import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { localFolder } from '../imageSources.js';
import type { Manifest } from '../manifest.js';
import { checkSize, filesBelow, type ReturnedImage } from '../returned.js';
import { stemOf } from '../writer.js';
import { type ColourTable, colourTable, decodeColourMask } from './colourMask.js';

/** Images of a folder of index masks, `masks/<name>.png` or the PNGs right in it. */
export async function* readMasksReturned(path: string, manifest: Manifest): AsyncGenerator<ReturnedImage> {
  const inner = join(path, 'masks');
  const folder = (await stat(inner).catch(() => null)) === null ? path : inner;
  const known = manifest.classes.map(({ value }) => value);
  yield* pngMasks(folder, colourTable(manifest.classes, known));
}

/** One image a PNG below `folder`, named by its path. */
export async function* pngMasks(folder: string, table: ColourTable): AsyncGenerator<ReturnedImage> {
  const read = await localFolder(folder, folder);
  for (const file of await filesBelow(folder, '.png')) {
    yield {
      name: stemOf(file),
      imageId: null,
      read: async (image) => {
        const mask = decodeColourMask(await read(file), file, table);
        checkSize(image, mask.width, mask.height, 'its mask');
        return { raster: mask.pixels, polygons: false };
      },
    };
  }
}

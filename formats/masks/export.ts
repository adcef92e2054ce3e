import { encodeLabel } from '../../storage/pictures/labelMask.js';
import { type FormatWriter, type WriterContext, writeBelow } from '../writer.js';

/** Greyscale PNGs whose values are label values: `masks/<name>.png`. Ignored pixels are in them too, as 255. */
export function createMaskWriter({ folder }: WriterContext): FormatWriter {
  return {
    async add({ image: { file, width, height }, raster }) {
      await writeBelow(folder, `masks/${file}.png`, await encodeLabel(raster, width, height));
    },
    async finish() {},
  };
}

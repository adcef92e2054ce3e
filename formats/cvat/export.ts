import { encode } from 'fast-png';
import { type FormatWriter, type WriterContext, writeBelow } from '../writer.js';

/**
 * CVAT's "Segmentation mask 1.1" (https://docs.cvat.ai/docs/manual/advanced/formats/format-smask/): palette PNGs in
 * `SegmentationClass/` whose colours `labelmap.txt` explains, and the list of images in `ImageSets/`. Indices are label
 * values.
 */
export function createCvatWriter({ folder, facts }: WriterContext): FormatWriter {
  const names: string[] = [];
  const classes = facts.classes.filter(({ value }) => value < 255);
  const palette = classes.map(({ colour }) => [...colour]);
  return {
    async add({ image: { file, width, height }, raster }) {
      names.push(file);
      const png = encode({ width, height, data: raster, channels: 1, depth: 8, palette });
      await writeBelow(folder, `SegmentationClass/${file}.png`, png);
    },
    async finish() {
      const lines = classes.map(({ name, colour }) => `${name}:${colour.join(',')}::`);
      await writeBelow(folder, 'labelmap.txt', `# label:color_rgb:parts:actions\n${lines.join('\n')}\n`);
      await writeBelow(folder, 'ImageSets/Segmentation/default.txt', `${names.join('\n')}\n`);
    },
  };
}

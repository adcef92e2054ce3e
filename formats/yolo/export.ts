import { type FormatWriter, partClasses, type WriterContext, writeBelow } from '../writer.js';
import { toPolygons } from './polygons.js';

/**
 * Ultralytics' YOLO segmentation (https://docs.ultralytics.com/datasets/segment/): `labels/<name>.txt` with one polygon
 * per line, `data.yaml` with the class names, `images.txt` with the links. Class 0 is the first class, not background.
 */
export function createYoloWriter({ folder, facts }: WriterContext): FormatWriter {
  const links: string[] = [];
  return {
    async add({ image, raster }) {
      const lines = toPolygons(image, raster, facts.simplifyPx).map(
        ({ value, points }) => `${value - 1} ${points.join(' ')}\n`,
      );
      links.push(image.link);
      await writeBelow(folder, `labels/${image.file}.txt`, lines.join(''));
    },
    async finish() {
      const names = partClasses(facts.classes).map(({ value, name }) => `  ${value - 1}: ${name}`);
      await writeBelow(
        folder,
        'data.yaml',
        `path: .\ntrain: images.txt\nval: images.txt\nnames:\n${names.join('\n')}\n`,
      );
      await writeBelow(folder, 'images.txt', `${links.join('\n')}\n`);
    },
  };
}

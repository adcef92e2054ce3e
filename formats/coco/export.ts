import { rleOfRuns } from '../../domain/geometry/rle.js';
import { findingsAt, labelRegions, regionRuns } from '../regions.js';
import { type FormatWriter, partClasses, type WriterContext, writeBelow } from '../writer.js';

/**
 * COCO annotations (https://cocodataset.org/#format-data): `annotations.json` with one run-length mask a connected piece,
 * so that holes and pieces that touch survive. Our ids are in `partloop_image_id` and in the annotations' attributes, which
 * most tools keep.
 */
export function createCocoWriter({ folder, facts }: WriterContext): FormatWriter {
  const images: object[] = [];
  const annotations: object[] = [];
  return {
    async add({ image, raster }) {
      const { width, height, name, link, imageId, findings } = image;
      const regions = labelRegions(image, raster);
      const runsOf = regionRuns(regions, image, 'columns');
      const id = images.length + 1;
      const suspects = findings.map(({ findingId, kind }) => `${kind} ${findingId}`).join('; ');
      images.push({
        ...{ id, file_name: name, width, height, coco_url: link },
        ...{ partloop_image_id: imageId, partloop_findings: suspects },
      });
      for (const component of regions.list) {
        const { value, area, x0, y0, x1, y1 } = component;
        const counts = rleOfRuns(runsOf(component), width * height);
        annotations.push({
          id: annotations.length + 1,
          image_id: id,
          category_id: value,
          segmentation: { size: [height, width], counts },
          area,
          bbox: [x0, y0, x1 - x0, y1 - y0],
          iscrowd: 1,
          attributes: { partloop_image_id: imageId, partloop_findings: findingsAt(image, component).join(' ') },
        });
      }
    },
    async finish() {
      const info = { description: 'partloop review', partloop_export_id: facts.exportId };
      const categories = partClasses(facts.classes).map(({ value, name }) => ({ id: value, name, supercategory: '' }));
      await writeBelow(folder, 'annotations.json', JSON.stringify({ info, images, categories, annotations }));
    },
  };
}

import { rleOfRuns } from '../../domain/geometry/rle.js';
import { JsonLists } from '../reading/jsonLists.js';
import { findingsAt, labelRegions, regionRuns } from '../regions.js';
import { type FormatWriter, partClasses, type WriterContext, writeBelow } from '../writer.js';

const FILE = 'annotations.json';

/**
 * COCO annotations (https://cocodataset.org/#format-data): `annotations.json` with one run-length mask per connected
 * piece, so that holes and touching pieces survive. Our ids are in `partloop_image_id` and in the annotations'
 * attributes, which most tools keep.
 */
export function createCocoWriter({ folder, facts }: WriterContext): FormatWriter {
  const lists = new JsonLists<'images' | 'annotations'>(FILE);
  return {
    async add({ image, raster }) {
      const { width, height, name, link, imageId, findings } = image;
      const regions = labelRegions(image, raster);
      const runsOf = regionRuns(regions, image, 'columns');
      const id = lists.count('images') + 1;
      const before = lists.count('annotations');
      const suspects = findings.map(({ findingId, kind }) => `${kind} ${findingId}`).join('; ');
      const entry = {
        ...{ id, file_name: name, width, height, coco_url: link },
        ...{ partloop_image_id: imageId, partloop_findings: suspects },
      };
      const annotations = regions.list.map((component, at) => {
        const { value, area, x0, y0, x1, y1 } = component;
        return {
          id: before + at + 1,
          image_id: id,
          category_id: value,
          segmentation: { size: [height, width], counts: rleOfRuns(runsOf(component), width * height) },
          area,
          bbox: [x0, y0, x1 - x0, y1 - y0],
          iscrowd: 1,
          attributes: { partloop_image_id: imageId, partloop_findings: findingsAt(image, component).join(' ') },
        };
      });
      lists.add([['images', entry], ...annotations.map((annotation) => ['annotations', annotation] as const)]);
    },
    async finish() {
      const info = { description: 'partloop review', partloop_export_id: facts.exportId };
      const categories = partClasses(facts.classes).map(({ value, name }) => ({ id: value, name, supercategory: '' }));
      await writeBelow(folder, FILE, fileText({ info, categories }, lists));
    },
  };
}

function* fileText(head: object, lists: JsonLists<'images' | 'annotations'>): Generator<string> {
  yield JSON.stringify(head).slice(0, -1);
  yield ',"images":';
  yield* lists.text('images');
  yield ',"annotations":';
  yield* lists.text('annotations');
  yield '}';
}

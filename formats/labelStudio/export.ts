import { PartloopError } from '../../domain/base/errors.js';
import { JsonLists } from '../reading/jsonLists.js';
import { findingsAt, labelRegions, regionRuns } from '../regions.js';
import { type FormatWriter, partClasses, type WriterContext, writeBelow } from '../writer.js';
import { encodeBrush } from './brush.js';

/**
 * Most pixels of all regions' masks together: each mask is of the whole picture, and packs 65,536 bytes of it into 27
 * bits. With more, an image's task takes over 20 MB, which the tool does not open.
 */
const MAX_MASK_PIXELS = 2 ** 36;

/**
 * Label Studio tasks (https://labelstud.io/guide/task_format): `tasks.json` with a link to each picture and one brush
 * region per connected piece, and `label-config.xml` for making the project. Our ids are in the task's `data`, which
 * Label Studio keeps.
 */
export function createLabelStudioWriter({ folder, facts }: WriterContext): FormatWriter {
  const lists = new JsonLists<'tasks'>('tasks.json');
  const names = new Map(facts.classes.map(({ value, name }) => [value, name]));
  return {
    async add({ image, raster }) {
      const { width, height, imageId, name, link, findings } = image;
      const regions = labelRegions(image, raster);
      if (regions.list.length * width * height > MAX_MASK_PIXELS)
        throw new PartloopError(
          'data-invalid',
          `its label is in ${regions.list.length} pieces, too many masks of ${width}×${height} for a task`,
          { hint: 'Export it in another format, as index masks for one: --format masks.' },
        );
      const runsOf = regionRuns(regions, image, 'rows');
      const result = regions.list.map((component) => ({
        id: `region-${component.id}`,
        type: 'brushlabels',
        from_name: 'label',
        to_name: 'image',
        original_width: width,
        original_height: height,
        image_rotation: 0,
        origin: 'manual',
        meta: { text: findingsAt(image, component) },
        value: {
          format: 'rle',
          rle: encodeBrush(runsOf(component), width * height),
          brushlabels: [names.get(component.value) ?? String(component.value)],
        },
      }));
      const task = {
        data: {
          image: link,
          file_name: name,
          partloop_image_id: imageId,
          partloop_export_id: facts.exportId,
          partloop_findings: findings.map(({ findingId, kind }) => `${kind} ${findingId}`).join('; '),
        },
        annotations: [{ result }],
      };
      lists.add([['tasks', task]]);
    },
    async finish() {
      const labels = partClasses(facts.classes).map(
        ({ name, colour }) => `    <Label value="${name}" background="rgb(${colour.join(',')})"/>`,
      );
      const config = [
        '<View>',
        '  <Image name="image" value="$image" zoom="true"/>',
        '  <BrushLabels name="label" toName="image">',
        ...labels,
        '  </BrushLabels>',
        '</View>',
      ];
      await writeBelow(folder, 'tasks.json', lists.text('tasks'));
      await writeBelow(folder, 'label-config.xml', `${config.join('\n')}\n`);
    },
  };
}

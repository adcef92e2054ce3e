import { join } from 'node:path';
import type { ReviewFormat } from '../formats/manifest.js';
import type { ExportReport } from '../pool/review/exportReview.js';

export const TABLE_FORMATS = ['csv', 'parquet'] as const;

/** The steps to open an export in its tool. */
const OPEN: Readonly<Record<ReviewFormat, string>> = {
  coco: 'CVAT: make a task with the pictures, then Actions > Upload annotations, COCO 1.0, annotations.json. Other tools: import it as COCO.',
  cvat: 'CVAT: zip the content of the folder, make a task with the pictures, then Upload annotations, Segmentation mask 1.1.',
  'label-studio':
    'Label Studio: paste label-config.xml into Settings > Labeling Interface, then Import tasks.json. Export as JSON, not JSON-MIN.',
  masks: 'Any editor of PNGs: grey values in masks/ are class numbers, as manifest.json lists them.',
  yolo: 'Ultralytics and tools that read YOLO segmentation: data.yaml names the classes, images.txt the pictures.',
};

/** This file, or the folder itself, names the returned labels. */
const COMES_BACK: Readonly<Record<ReviewFormat, string>> = {
  coco: 'annotations.json',
  'label-studio': 'tasks.json',
  cvat: '',
  masks: '',
  yolo: '',
};

/** The steps for exported labels: open them, find the pictures, keep the manifest, import them back. */
export function nextSteps({ format, folders }: ExportReport, imageRoot: string | null): string[] {
  const [folder = '.'] = folders;
  const back = join(folder, COMES_BACK[format]);
  const links =
    imageRoot === null
      ? 'Pictures: the files link to the store. If your tool has them elsewhere, export with `--image-root FOLDER_OR_URI`.'
      : `Pictures: the files link to ${imageRoot}.`;
  return [
    'Next:',
    `  1. ${OPEN[format]}`,
    `  2. ${links}`,
    '  3. Keep manifest.json: the import needs it. If you move it away from the labels, name it with `--manifest FILE`.',
    `  4. Bring the corrections back: \`partloop review import ${back}\`${folders.length > 1 ? ', once per folder' : ''}; add`,
    '     `--unchanged right` if somebody looked at every image. `partloop review undo` takes an import back.',
  ];
}

/** The steps for a table of findings. */
export function tableSteps(scan: string, format: (typeof TABLE_FORMATS)[number], findings: string): string[] {
  const answer =
    format === 'csv'
      ? `add a column \`verdict\` (wrong, accept, right, unsure), then \`partloop review import ${findings} --scan ${scan}\``
      : `export with \`--format csv\`, add a column \`verdict\`, and bring it back with \`partloop review import\``;
  return [
    'Next:',
    `  1. To answer in the table: ${answer}.`,
    `  2. To correct labels in a tool: \`partloop scan export ${scan} --format coco --out REVIEW\` (or cvat, label-studio, masks, yolo).`,
  ];
}

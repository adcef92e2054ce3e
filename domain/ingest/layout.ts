import type { Marker } from './drop.js';

/** Removal requests of a client. */
export const REMOVALS_FILE = 'removals.json';
const MANIFEST = 'manifest.jsonl';
const TAGS = 'tags.csv';
/** Folders in which tools put the COCO file. */
const COCO_FOLDERS = ['', 'annotations/'];
/** Folders in which tools put the pictures, beside that of the COCO file. */
const IMAGE_FOLDERS = ['', 'images/'];

/** What a drop holds, and by which files. */
export interface DropLayout {
  labels: { format: 'coco'; annotations: string; folders: string[] } | { format: 'masks'; manifest: string } | null;
  tags: string | null;
  removals: string | null;
  /** Files that are no pictures and no masks. */
  documents: string[];
}

/**
 * Find the labels of a drop. What the marker names counts; else a `manifest.jsonl`, else the only JSON file on top or
 * in `annotations/`.
 *
 * @param files paths inside the drop, without the marker
 * @returns what is wrong, as a sentence, if the labels cannot be told
 */
export function layoutOf(files: ReadonlySet<string>, marker: Marker): DropLayout | string {
  for (const named of [marker.annotations, marker.manifest, marker.tags])
    if (named !== undefined && !files.has(named)) return `the marker names ${named}, which is not in the drop`;
  const tags = marker.tags ?? (files.has(TAGS) ? TAGS : null);
  const removals = files.has(REMOVALS_FILE) ? REMOVALS_FILE : null;
  const labels = labelsOf(files, marker);
  if (typeof labels === 'string') return labels;
  if (labels === null && removals === null)
    return `it has no ${MANIFEST}, no COCO file (*.json on top or in annotations/) and no ${REMOVALS_FILE}`;
  const document = labels === null ? null : labels.format === 'coco' ? labels.annotations : labels.manifest;
  return { labels, tags, removals, documents: [document, tags, removals].filter((name) => name !== null) };
}

function labelsOf(files: ReadonlySet<string>, marker: Marker): DropLayout['labels'] | string {
  const manifest = marker.manifest ?? (files.has(MANIFEST) ? MANIFEST : undefined);
  const isMasks = marker.format === 'masks' || (marker.format === undefined && marker.annotations === undefined);
  if (isMasks && manifest !== undefined) return { format: 'masks', manifest };
  if (marker.format === 'masks') return `the marker says masks, but there is no ${MANIFEST}`;
  const found = marker.annotations === undefined ? cocoFiles(files) : [marker.annotations];
  const [annotations, ...others] = found;
  if (others.length > 0)
    return `it has several JSON files: ${found.slice(0, 5).join(', ')}; name one as \`annotations\` in the marker`;
  if (annotations !== undefined) return { format: 'coco', annotations, folders: imageFolders(annotations, marker) };
  return marker.format === 'coco' ? 'the marker says coco, but there is no JSON file on top or in annotations/' : null;
}

const cocoFiles = (files: ReadonlySet<string>): string[] =>
  [...files]
    .filter((name) => name !== REMOVALS_FILE && COCO_FOLDERS.some((folder) => isIn(name, folder)))
    .filter((name) => name.endsWith('.json'))
    .sort();

const isIn = (name: string, folder: string): boolean =>
  name.startsWith(folder) && !name.slice(folder.length).includes('/');

/** Where names of the COCO file are looked for, in this order. */
function imageFolders(annotations: string, { images }: Marker): string[] {
  if (images !== undefined) return [`${images.replace(/\/+$/, '')}/`];
  const own = annotations.slice(0, annotations.lastIndexOf('/') + 1);
  return [...new Set([own, ...IMAGE_FOLDERS])];
}

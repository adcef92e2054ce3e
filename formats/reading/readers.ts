import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PartloopError } from '../../domain/base/errors.js';
import { readCocoReturned } from '../coco/review.js';
import { readCvatReturned } from '../cvat/review.js';
import { readLabelStudioReturned } from '../labelStudio/review.js';
import type { ReviewFormat } from '../manifest.js';
import { readMasksReturned } from '../masks/review.js';
import { readYoloReturned } from '../yolo/review.js';
import { filesBelow, type ReadReturned } from './returned.js';

const READERS: Record<ReviewFormat, ReadReturned> = {
  coco: readCocoReturned,
  cvat: readCvatReturned,
  'label-studio': readLabelStudioReturned,
  masks: readMasksReturned,
  yolo: readYoloReturned,
};

/** Files by which a folder shows its format; CVAT and others put COCO files into `annotations/`. */
const MARKS: readonly [string, ReviewFormat][] = [
  ['annotations.json', 'coco'],
  ['annotations/instances_default.json', 'coco'],
  ['tasks.json', 'label-studio'],
  ['SegmentationClass', 'cvat'],
  ['labels', 'yolo'],
  ['masks', 'masks'],
];

export interface Opened {
  format: ReviewFormat;
  /** The file or folder that the reader reads. */
  path: string;
  read: ReadReturned;
}

/**
 * Find the format of a returned file or folder: it may differ from the exported one, since tools convert.
 *
 * @throws PartloopError `input-invalid` for an unknown format
 */
export async function openReturned(path: string): Promise<Opened> {
  const facts = await stat(path).catch((cause: unknown) => {
    throw new PartloopError('input-invalid', `${path} cannot be read`, { cause });
  });
  if (facts.isFile()) {
    const format = await formatOfFile(path);
    return { format, path, read: READERS[format] };
  }
  for (const [mark, format] of MARKS) {
    const place = join(path, mark);
    const found = await stat(place).catch(() => null);
    if (found === null) continue;
    return { format, path: found.isFile() ? place : path, read: READERS[format] };
  }
  if ((await filesBelow(path, '.png')).length > 0) return { format: 'masks', path, read: READERS.masks };
  throw new PartloopError('input-invalid', `${path} holds no annotations of a known format`, {
    hint: 'Give a COCO or Label Studio JSON file, or the unpacked folder of CVAT, YOLO or index masks.',
  });
}

async function formatOfFile(path: string): Promise<ReviewFormat> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(256), 0, 256, 0);
    const start = buffer
      .toString('utf8', 0, bytesRead)
      .replace(/^\uFEFF/, '')
      .trimStart();
    if (start.startsWith('[')) return 'label-studio';
    if (start.startsWith('{')) return 'coco';
    throw new PartloopError('input-invalid', `${path} is neither a CSV nor a JSON file of annotations`, {
      hint: start.startsWith('PK')
        ? 'It is an archive: unpack it and give its folder.'
        : 'Give verdicts as a .csv file.',
    });
  } finally {
    await file.close();
  }
}

import { createWriteStream } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { IndexRow } from '../../domain/tables.js';
import { TAG_NAMES } from '../../domain/tags.js';
import { IGNORED_NAME } from '../../domain/taxonomies/categoryNames.js';
import { IGNORE_INDEX } from '../../domain/taxonomy.js';
import { digestOfFile } from '../../storage/seal.js';
import type { DatasetFacts, DatasetImage, DatasetWriter, Piece, Split } from '../dataset.js';
import { writeBelow } from '../writer.js';
import { labelAnnotations } from './annotations.js';
import { SpooledList } from './spooledList.js';

/** Letters of an annotation file: most tools read it whole, and take several times its size. */
const FILE_LETTERS = 256 * 2 ** 20;
/** The folder of the pictures, which `file_name` is relative to. */
export const PICTURES = 'images';

/** An annotation file whose lists grow until it is known which categories all files need. */
interface OpenFile {
  split: Split;
  name: string;
  images: SpooledList;
  annotations: SpooledList;
  letters: number;
}

/**
 * COCO for trainers: pictures below `images/`, and for each split `annotations/instances_SPLIT.json`, with further
 * files (`instances_SPLIT-2.json`) if one would grow too large to be read. COCO has no word for pixels that count
 * nowhere: they have the category `_ignored_`, which is listed if any image has such pixels.
 *
 * @param most letters after which another file begins
 */
export function createCocoDatasetWriter(folder: string, facts: DatasetFacts, most = FILE_LETTERS): DatasetWriter {
  const files: OpenFile[] = [];
  const last = { image: 0, annotation: 0 };
  let hasIgnored = false;

  const fileOf = (split: Split): OpenFile => {
    const open = files.at(-1);
    if (open?.split === split && open.letters < most) return open;
    const before = files.filter((file) => file.split === split).length;
    const name = `annotations/instances_${split}${before === 0 ? '' : `-${before + 1}`}.json`;
    const spool = (list: string): SpooledList => new SpooledList(join(folder, `${name}.${list}.partial`));
    const file = { split, name, images: spool('images'), annotations: spool('annotations'), letters: 0 };
    files.push(file);
    return file;
  };

  return {
    async add(split, image) {
      if (image.picture !== null) await writePicture(join(folder, PICTURES, image.name), image.picture);
      const file = fileOf(split);
      const imageId = ++last.image;
      file.letters += await file.images.add({ id: imageId, ...imageEntry(image, facts) });
      for (const annotation of labelAnnotations(image.pixels, image.row)) {
        hasIgnored ||= annotation.category_id === IGNORE_INDEX;
        file.letters += await file.annotations.add({ id: ++last.annotation, image_id: imageId, ...annotation });
      }
      return null;
    },
    close: async () => null,
    async hasPicture(name, sha256) {
      const there = await digestOfFile(join(folder, PICTURES, name)).catch(() => null);
      return there?.sha256 === sha256;
    },
    // Annotation files are made anew each time, from the labels.
    resume: () => undefined,
    async finish() {
      await writeBelow(folder, 'taxonomy.json', `${JSON.stringify(facts.taxonomy, null, 1)}\n`);
      const pieces: Piece[] = [];
      for (const file of files) pieces.push(await assemble(file, folder, fileHead(facts, hasIgnored)));
      return pieces;
    },
  };
}

/** A picture is there as a whole or not at all: an export that goes on need not write it again. */
async function writePicture(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.partial`, bytes);
  await rename(`${path}.partial`, path);
}

/** `import coco` reads vehicle, split and tags from these fields; unknown tags are left out. */
function imageEntry({ row, name }: DatasetImage, { storeUri }: DatasetFacts): object {
  return {
    file_name: name,
    width: row.width,
    height: row.height,
    coco_url: row.imageUri.startsWith('s3://') ? row.imageUri : `${storeUri}/${row.imageUri}`,
    partloop_image_id: row.imageId,
    split: row.split,
    source: row.source,
    ...(row.vehicleId === null ? {} : { vehicle_id: row.vehicleId }),
    ...tagsOf(row),
  };
}

const tagsOf = (row: IndexRow): object =>
  Object.fromEntries(TAG_NAMES.flatMap((tag) => (row[tag] === null ? [] : [[tag, row[tag]]])));

function fileHead({ pool, version, taxonomy, createdAt }: DatasetFacts, hasIgnored: boolean): object {
  const classes = taxonomy.classes.map(({ name, group }, index) => ({ id: index + 1, name, supercategory: group }));
  const ignored = { id: IGNORE_INDEX, name: IGNORED_NAME, supercategory: IGNORED_NAME };
  return {
    info: { description: `partloop pool ${pool}`, version: String(version), date_created: createdAt },
    licenses: [],
    categories: hasIgnored ? [...classes, ignored] : classes,
  };
}

async function assemble({ split, name, images, annotations }: OpenFile, folder: string, head: object): Promise<Piece> {
  await images.close();
  await annotations.close();
  const path = join(folder, name);
  await pipeline(fileText(head, images, annotations), createWriteStream(`${path}.partial`));
  await rename(`${path}.partial`, path);
  await images.remove();
  await annotations.remove();
  const { sha256, size } = await digestOfFile(path);
  return { split, file: name, images: images.count, bytes: size, sha256 };
}

async function* fileText(head: object, images: SpooledList, annotations: SpooledList): AsyncGenerator<string | Buffer> {
  yield `${JSON.stringify(head).slice(0, -1)},\n"images": [\n`;
  yield* images.text();
  yield '],\n"annotations": [\n';
  yield* annotations.text();
  yield ']}\n';
}

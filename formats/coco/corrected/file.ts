import { createWriteStream } from 'node:fs';
import { realpath, rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { PartloopError } from '../../../domain/base/errors.js';
import { isRecord } from '../../../domain/base/isRecord.js';
import { visitElements } from '../../reading/jsonElements.js';
import { SizedFile } from '../../reading/sizedFile.js';
import { ownerOf, parseAnnotation } from '../file.js';
import { MAX_COCO_BYTES } from '../import.js';
import { type CorrectedAnnotations, correctedAnnotations } from './annotations.js';
import { type Edit, type ElementBytes, listEdits, spliced } from './splice.js';

const READ_AT_ONCE = 2 ** 20;

const rawId = z.union([z.number(), z.string()]);
const imageSchema = z.looseObject({ id: rawId, file_name: z.string() });
const categorySchema = z.looseObject({ id: rawId });
const numberedSchema = z.looseObject({ id: z.number() });

/** A corrected label. */
export interface CorrectedLabel {
  /** Label values, row by row. */
  pixels: Uint8Array;
  width: number;
  height: number;
}

export interface CorrectedFileOptions {
  /** The original file. */
  path: string;
  out: string;
  /** Names of the corrected images, as the file has them. */
  corrected: ReadonlySet<string>;
  labelOf(fileName: string): Promise<CorrectedLabel>;
  /** Label value of each category, by its id as text. */
  values: ReadonlyMap<string, number>;
}

/** What is in a corrected file. */
export interface CorrectedFile {
  images: number;
  changed: number;
  dropped: number;
  added: number;
  /** Images whose correction is not in it, with the reason. */
  leftOut: { fileName: string; reason: string }[];
}

/**
 * Write an annotation file with corrected labels: the bytes of the original one, in which only annotations of corrected
 * images differ. It is whole or not there.
 *
 * @throws PartloopError `input-invalid` for a target that is the original, `interrupted` for an original that changes
 */
export async function writeCorrectedFile(options: CorrectedFileOptions): Promise<CorrectedFile> {
  const { path, out } = options;
  if ((await realpath(path)) === (await realpath(out).catch(() => null)))
    throw new PartloopError('input-invalid', `${out} is the annotation file itself`, {
      hint: 'Write to another file.',
    });
  const file = await SizedFile.of(path, path, MAX_COCO_BYTES);
  const known = await readImages(file, options);
  const list = await readAnnotations(file, new Map([...known.images].map(([id, { fileName }]) => [id, fileName])));
  const written: CorrectedFile = { images: 0, changed: 0, dropped: 0, added: 0, leftOut: [...known.leftOut] };
  const changes = new Map<number, string | null>();
  const added: string[] = [];
  let nextId = list.highestId + 1;
  for (const [id, { raw, fileName }] of known.images) {
    const places = list.byImage.get(id) ?? [];
    try {
      const bytes = await file.read(places.map((place) => list.elements[place] as ElementBytes));
      const parsed = bytes.map((one): unknown => JSON.parse(one.toString('utf8')));
      const label = await options.labelOf(fileName);
      const corrected = changedTexts(parsed, label, options.values, known.categoryOf);
      corrected.texts.forEach((text, index) => {
        if (text !== undefined) changes.set(places[index] as number, text);
      });
      for (const fields of corrected.added)
        added.push(JSON.stringify({ id: nextId++, image_id: raw, ...fields, iscrowd: 0 }));
      const dropped = corrected.texts.filter((text) => text === null).length;
      written.images += 1;
      written.dropped += dropped;
      written.changed += corrected.texts.filter((text) => typeof text === 'string').length;
      written.added += corrected.added.length;
    } catch (error) {
      if (!(error instanceof PartloopError) || error.code !== 'data-invalid') throw error;
      written.leftOut.push({ fileName, reason: error.message });
    }
  }
  if (list.elements.length === 0 && added.length > 0)
    throw new PartloopError('input-invalid', `${path} has no annotation`);
  await writeWhole(out, file, listEdits(list.elements, changes, added));
  return written;
}

interface KnownImages {
  /** The corrected images, by their ids as text. */
  images: Map<string, { raw: string | number; fileName: string }>;
  /** Id of the first category with a label value. */
  categoryOf: Map<number, string | number>;
  leftOut: CorrectedFile['leftOut'];
}

async function readImages(file: SizedFile, { corrected, values }: CorrectedFileOptions): Promise<KnownImages> {
  const named = new Map<string, (string | number)[]>();
  const categoryOf = new Map<number, string | number>();
  await visitElements(file, ['images', 'categories'], {
    restart: (list) => (list === 'images' ? named : categoryOf).clear(),
    element({ list, value }) {
      if (list === 'images') {
        const { data } = imageSchema.safeParse(value);
        if (data === undefined || !corrected.has(data.file_name)) return;
        named.set(data.file_name, [...(named.get(data.file_name) ?? []), data.id]);
        return;
      }
      const { data } = categorySchema.safeParse(value);
      const own = data === undefined ? undefined : values.get(String(data.id));
      if (data !== undefined && own !== undefined && !categoryOf.has(own)) categoryOf.set(own, data.id);
    },
  });
  const known: KnownImages = { images: new Map(), categoryOf, leftOut: [] };
  for (const fileName of corrected) {
    const [raw, ...others] = named.get(fileName) ?? [];
    if (raw !== undefined && others.length === 0) known.images.set(String(raw), { raw, fileName });
    else
      known.leftOut.push({
        fileName,
        reason: raw === undefined ? 'the file does not list it' : 'the file lists it several times',
      });
  }
  return known;
}

interface AnnotationList {
  elements: ElementBytes[];
  /** Places of the annotations of each corrected image. */
  byImage: Map<string, number[]>;
  highestId: number;
}

async function readAnnotations(file: SizedFile, images: ReadonlyMap<string, string>): Promise<AnnotationList> {
  const list: AnnotationList = { elements: [], byImage: new Map(), highestId: 0 };
  await visitElements(file, ['annotations'], {
    restart() {
      list.elements.length = list.highestId = 0;
      list.byImage.clear();
    },
    element({ index, begin, size, value }) {
      list.elements.push({ begin, size });
      const id = numberedSchema.safeParse(value).data?.id ?? 0;
      if (Number.isSafeInteger(id)) list.highestId = Math.max(list.highestId, id);
      const owner = ownerOf(value);
      if (owner === null || !images.has(owner)) return;
      const places = list.byImage.get(owner);
      if (places === undefined) list.byImage.set(owner, [index]);
      else places.push(index);
    },
  });
  list.highestId = Math.max(list.highestId, list.elements.length);
  return list;
}

/**
 * The texts of an image's annotations (undefined for one that stays, null for one that goes), and fields of new ones.
 *
 * @throws PartloopError `data-invalid` if a class of the corrected label has no category
 */
function changedTexts(
  annotations: readonly unknown[],
  { pixels, ...size }: CorrectedLabel,
  values: ReadonlyMap<string, number>,
  categoryOf: ReadonlyMap<number, string | number>,
): { texts: (string | null | undefined)[]; added: object[] } {
  const painted = annotations.map((annotation, at) => {
    const { category, segmentation } = parseAnnotation(annotation, `annotation number ${at}`);
    return { value: values.get(category) ?? 0, segmentation };
  });
  const { fates, added }: CorrectedAnnotations = correctedAnnotations(painted, pixels, size);
  const category = (value: number): string | number => {
    const id = categoryOf.get(value);
    if (id === undefined)
      throw new PartloopError(
        'data-invalid',
        `its corrected label has value ${value}, which is no category of the file`,
      );
    return id;
  };
  return {
    texts: fates.map((fate, at) => {
      if (fate === 'kept') return undefined;
      if (fate === 'dropped') return null;
      const fields = annotations[at];
      const to = fate.value === null ? {} : { category_id: category(fate.value) };
      return JSON.stringify({ ...(isRecord(fields) ? fields : {}), ...to, ...(fate.mask ?? {}) });
    }),
    added: added.map(({ value, mask }) => ({ category_id: category(value), ...mask })),
  };
}

async function writeWhole(out: string, file: SizedFile, edits: readonly Edit[]): Promise<void> {
  const partial = `${out}.partial-${process.pid}`;
  try {
    await pipeline(Readable.from(spliced(file.chunks(READ_AT_ONCE), edits)), createWriteStream(partial));
    // It refuses a file that was written to meanwhile, whose bytes would be cut at the wrong places.
    await file.read([{ begin: 0, size: 0 }]);
    await rename(partial, out);
  } finally {
    await rm(partial, { force: true });
  }
}

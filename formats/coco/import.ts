import { z } from 'zod';
import { check } from '../../domain/base/checked.js';
import { PartloopError } from '../../domain/base/errors.js';
import type { Taxonomy } from '../../domain/taxonomy.js';
import { type ClassRules, matchClasses, NO_CLASS_RULES } from '../reading/classMatcher.js';
import { type ImagePlace, imageSources } from '../reading/imageSources.js';
import type { EmptyPictures, ImageFacts, ImageSource, ImportEntry, Origin } from '../reading/importItem.js';
import { type ElementVisitor, MAX_VALUE_BYTES, visitElements } from '../reading/jsonElements.js';
import { type ByteRange, SizedFile } from '../reading/sizedFile.js';
import { AnnotationIndex, type IndexedImage } from './annotationIndex.js';
import { annotationName, categoryNames, cocoId, ownerOf } from './file.js';
import { cocoFacts } from './imageFacts.js';
import { type Categories, paintAnnotations } from './label.js';

/** Bytes of a file: it is read twice, and where its annotations are is kept on this disk. */
export const MAX_COCO_BYTES = 8 * 2 ** 30;
/** Bytes of all annotations of one image, which are in memory together. */
const MAX_ANNOTATION_BYTES = MAX_VALUE_BYTES;

const side = z.number().int().positive();
const imageSchema = z.looseObject({
  id: cocoId,
  file_name: z.string().min(1).max(1_024),
  width: side,
  height: side,
});
const ownIdSchema = z.looseObject({ id: cocoId });
const fileSchema = z.object({
  images: z.array(z.unknown()),
  categories: z.array(z.looseObject({ id: cocoId, name: z.string().max(1_024) })),
  annotations: z.array(z.unknown()),
});
type Category = z.output<typeof fileSchema>['categories'][number];

const EXAMPLES = 5;

/** A file on this disk; messages call it by its path, or by `name`. */
export type AnnotationFile = string | { path: string; name: string };

export type CocoOptions = ImagePlace & {
  annotations: AnnotationFile;
  taxonomy: Taxonomy;
  classes?: ClassRules;
  empty?: EmptyPictures;
  /** Ends the first reading of the file, which comes before the first entry and may take minutes. */
  signal?: AbortSignal | undefined;
};

/**
 * A COCO annotation file with polygons or run-length masks. Categories are matched to classes by name; if annotations
 * overlap, `paintShapes` decides which is on top. Tags, vehicle and split are taken from an image's `attributes`,
 * `tags` and extra fields.
 *
 * The file is read from front to back once, for where its entries are, and must stay as it is until the last label is
 * made. What is in memory depends on the largest image, not on the size of the file.
 *
 * @throws PartloopError `input-invalid` if the file as a whole is unusable, `interrupted` if it changes
 */
export async function* readCoco(options: CocoOptions): AsyncGenerator<ImportEntry> {
  const { annotations } = options;
  const { path, name } = typeof annotations === 'string' ? { path: annotations, name: annotations } : annotations;
  const file = await SizedFile.of(path, name, MAX_COCO_BYTES);
  const index = await AnnotationIndex.make();
  try {
    yield* entriesOf(file, index, options);
  } finally {
    await index.close();
  }
}

async function* entriesOf(file: SizedFile, index: AnnotationIndex, options: CocoOptions): AsyncGenerator<ImportEntry> {
  const { taxonomy, classes = NO_CLASS_RULES, empty = 'refuse', signal } = options;
  const { categories: listed, fileNames } = await indexFile(file, index, signal);
  const categories = categoryValues(listed, taxonomy, classes, file.name);
  const source = await imageSources(options, fileNames);
  if (await index.hasTwins()) throw new PartloopError('input-invalid', `${file.name} has two images with the same id`);
  yield* strays(file, index);
  let at = 0;
  for await (const image of index.entries(MAX_ANNOTATION_BYTES)) {
    const [value] = await valuesOf(file, [image.entry]);
    yield entryOf(value, at++, source, (entry, size) => {
      checkLabelled(entry, size, image, empty);
      return valuesOf(file, image.annotations).then((own) => paintAnnotations(own, size, categories, taxonomy));
    });
  }
}

const valuesOf = async (file: SizedFile, ranges: readonly ByteRange[]): Promise<unknown[]> =>
  (await file.read(ranges)).map((bytes): unknown => JSON.parse(bytes.toString('utf8')));

/** Where everything is in the file; what the names of pictures and the categories are. */
async function indexFile(
  file: SizedFile,
  index: AnnotationIndex,
  signal: AbortSignal | undefined,
): Promise<{ categories: readonly Category[]; fileNames: readonly string[] }> {
  const fileNames: string[] = [];
  const categories: unknown[] = [];
  let categoryBytes = 0;
  const visitor: ElementVisitor = {
    restart(list) {
      if (list === 'images' || list === 'annotations') index.restart(list);
      if (list === 'images') fileNames.length = 0;
      if (list === 'categories') categories.length = categoryBytes = 0;
    },
    element({ list, index: at, value, ...range }) {
      if (list === 'annotations') index.addAnnotation(at, range, ownerOf(value));
      else if (list === 'images') {
        const { data } = check(imageSchema, value);
        const own = ownIdSchema.safeParse(value).data?.id ?? null;
        index.addImage(at, range, { own, id: data?.id ?? null });
        if (data !== null) fileNames.push(data.file_name);
      } else {
        categories.push(value);
        categoryBytes += range.size;
        if (categoryBytes > MAX_VALUE_BYTES)
          throw new PartloopError('input-invalid', `${file.name} has more than ${MAX_VALUE_BYTES} bytes of categories`);
      }
    },
  };
  const top = await visitElements(file, ['images', 'categories', 'annotations'], visitor, { signal });
  const { data, problem } = check(fileSchema, isListed(top) ? { ...top, categories } : top);
  if (problem !== null)
    throw new PartloopError('input-invalid', `${file.name} is not a COCO annotation file: ${problem}`);
  return { categories: data.categories, fileNames };
}

const isListed = (top: unknown): top is { categories: unknown[] } =>
  z.object({ categories: z.array(z.unknown()) }).safeParse(top).success;

async function* strays(file: SizedFile, index: AnnotationIndex): AsyncGenerator<ImportEntry> {
  // An invalid entry is refused alone; its annotations still belong to a known image.
  const { count, examples } = await index.strays(EXAMPLES);
  if (count === 0) return;
  const values = await valuesOf(
    file,
    examples.map(({ range }) => range),
  );
  yield {
    notice: 'annotations of images that the file does not list were left out',
    count,
    examples: values.map((value, example) => annotationName(value, examples[example]?.at ?? 0)),
  };
}

type Image = z.output<typeof imageSchema>;
interface Size {
  width: number;
  height: number;
}

/** What an entry of `images` makes: an image, or a refusal. */
function entryOf(
  value: unknown,
  at: number,
  source: (name: string) => ImageSource,
  label: (image: Image, size: Size) => ReturnType<Extract<ImportEntry, { image: unknown }>['label']>,
): ImportEntry {
  const entry = check(imageSchema, value);
  const fileName = entry.problem === null ? entry.data.file_name : nameOf(value, at);
  const image = source(fileName);
  const refused = (reason: string): ImportEntry => ({ fileName, reason, ...originOf(image) });
  if (entry.problem !== null) return refused(`its entry is not valid: ${entry.problem}`);
  let facts: ImageFacts;
  try {
    facts = cocoFacts(entry.data);
  } catch (error) {
    if (error instanceof PartloopError) return refused(error.message);
    throw error;
  }
  return { fileName, image, facts, ...originOf(image), label: async (size) => label(entry.data, size) };
}

/** @throws PartloopError `data-invalid` if the annotations cannot be those of the picture */
function checkLabelled(entry: Image, size: Size, { annotations, bytes }: IndexedImage, empty: EmptyPictures): void {
  if (size.width !== entry.width || size.height !== entry.height)
    throw new PartloopError(
      'data-invalid',
      `the annotations are for ${entry.width}×${entry.height}, the upright picture is ${size.width}×${size.height}`,
    );
  if (bytes > MAX_ANNOTATION_BYTES)
    throw new PartloopError(
      'data-invalid',
      `its annotations have ${bytes} bytes together, more than ${MAX_ANNOTATION_BYTES}`,
    );
  if (annotations.length === 0 && empty === 'refuse')
    throw new PartloopError(
      'data-invalid',
      'it has no annotations: --empty background takes such pictures as showing no part',
    );
}

const originOf = (image: ImageSource): { origin?: Origin } =>
  'origin' in image && image.origin !== undefined ? { origin: image.origin } : {};

function nameOf(entry: unknown, index: number): string {
  const named = z.looseObject({ file_name: z.string().max(1_024) }).safeParse(entry);
  return named.success && named.data.file_name !== '' ? named.data.file_name : `images[${index}]`;
}

function categoryValues(
  categories: readonly Category[],
  taxonomy: Taxonomy,
  rules: ClassRules,
  path: string,
): Categories {
  const names = categoryNames(categories, path);
  const values = matchClasses([...new Set(names.values())], taxonomy, rules, path);
  if (![...values.values()].some((value) => value != null && value > 0))
    throw new PartloopError(
      'input-invalid',
      `${path} has no category of taxonomy ${taxonomy.name}: it has ${[...values.keys()].join(', ')}`,
      { hint: `The taxonomy has ${taxonomy.classes.map(({ name }) => name).join(', ')}.` },
    );
  return new Map([...names].map(([id, name]) => [id, { name, value: values.get(name) }]));
}

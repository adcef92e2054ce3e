import { z } from 'zod';
import { check } from '../../domain/base/checked.js';
import { PartloopError } from '../../domain/base/errors.js';
import type { Taxonomy } from '../../domain/taxonomy.js';
import { factsFrom } from '../facts.js';
import { paintShapes, type Shape } from '../paint.js';
import {
  type ClassRules,
  type MatchedClass,
  matchClasses,
  NO_CLASS_RULES,
  unknownClass,
} from '../reading/classMatcher.js';
import { type ImagePlace, imageSources } from '../reading/imageSources.js';
import type { EmptyPictures, ImageFacts, ImageSource, ImportEntry, ItemLabel, Origin } from '../reading/importItem.js';
import { readJsonFile } from '../reading/jsonFile.js';
import { painted } from '../reading/returned.js';
import { annotationName, annotationsByImage, categoryNames, categoryOf, cocoId, parseAnnotation } from './file.js';
import { segmentationShape } from './segmentation.js';

const side = z.number().int().positive();
const imageSchema = z.looseObject({
  id: cocoId,
  file_name: z.string().min(1).max(1_024),
  width: side,
  height: side,
});
type CocoImage = z.output<typeof imageSchema>;
const ownIdSchema = z.looseObject({ id: cocoId });
const fileSchema = z.object({
  images: z.array(z.unknown()),
  categories: z.array(z.looseObject({ id: cocoId, name: z.string().max(1_024) })),
  annotations: z.array(z.unknown()),
});
type CocoFile = z.output<typeof fileSchema>;

const EXAMPLES = 5;
/** Rounding tolerance of fractions outside 0 to 1. */
const SLIP = 0.05;
/** Fields of COCO itself, which have nothing to do with a picture's tags. */
const COCO_FIELDS = ['id', 'file_name', 'width', 'height', 'license', 'flickr_url', 'coco_url', 'date_captured'];

/** A JSON file by its path, or its content under the name that messages use. */
export type JsonSource = string | { name: string; content: unknown };

export type CocoOptions = ImagePlace & {
  annotations: JsonSource;
  taxonomy: Taxonomy;
  classes?: ClassRules;
  empty?: EmptyPictures;
};

/**
 * A COCO annotation file with polygons or run-length masks. Categories are matched to classes by name; if annotations
 * overlap, `paintShapes` decides which is on top. Tags, vehicle and split are taken from an image's `attributes`,
 * `tags` and extra fields.
 *
 * @throws PartloopError `input-invalid` if the file as a whole is unusable
 */
export async function* readCoco(options: CocoOptions): AsyncGenerator<ImportEntry> {
  const { annotations, taxonomy, classes = NO_CLASS_RULES, empty = 'refuse' } = options;
  const path = typeof annotations === 'string' ? annotations : annotations.name;
  const file = parseCocoFile(path, typeof annotations === 'string' ? await readJsonFile(path) : annotations.content);
  const categories = categoryValues(file, taxonomy, classes, path);
  const entries = file.images.map((entry) => check(imageSchema, entry));
  const images = entries.flatMap(({ data }) => data ?? []);
  const source = await imageSources(
    options,
    images.map(({ file_name }) => file_name),
  );
  const ids = images.map(({ id }) => id);
  const { byImage, strays } = annotationsByImage(file.annotations, ids, path);
  // An invalid entry is refused alone; its annotations still belong to a known image.
  const listed = new Set(file.images.flatMap((entry) => ownIdSchema.safeParse(entry).data?.id ?? []));
  const orphans = strays.filter(({ owner }) => owner === null || !listed.has(owner));
  if (orphans.length > 0)
    yield {
      notice: 'annotations of images that the file does not list were left out',
      count: orphans.length,
      examples: orphans.slice(0, EXAMPLES).map(({ name }) => name),
    };
  for (const [index, entry] of entries.entries()) {
    if (entry.problem !== null) {
      const fileName = nameOf(file.images[index], index);
      yield { fileName, reason: `its entry is not valid: ${entry.problem}`, ...originOf(source(fileName)) };
      continue;
    }
    const image = entry.data;
    const own = byImage.get(image.id) ?? [];
    let facts: ImageFacts;
    try {
      facts = cocoFacts(image);
    } catch (error) {
      if (!(error instanceof PartloopError)) throw error;
      yield { fileName: image.file_name, reason: error.message, ...originOf(source(image.file_name)) };
      continue;
    }
    const picture = source(image.file_name);
    yield {
      fileName: image.file_name,
      image: picture,
      facts,
      ...originOf(picture),
      label: async (size) => {
        if (size.width !== image.width || size.height !== image.height)
          throw new PartloopError(
            'data-invalid',
            `the annotations are for ${image.width}×${image.height}, the upright picture is ${size.width}×${size.height}`,
          );
        if (own.length === 0 && empty === 'refuse')
          throw new PartloopError(
            'data-invalid',
            'it has no annotations: --empty background takes such pictures as showing no part',
          );
        return paint(own, size, categories, taxonomy);
      },
    };
  }
}

const originOf = (image: ImageSource): { origin?: Origin } =>
  'origin' in image && image.origin !== undefined ? { origin: image.origin } : {};

function parseCocoFile(path: string, content: unknown): CocoFile {
  const { data, problem } = check(fileSchema, content);
  if (problem === null) return data;
  throw new PartloopError('input-invalid', `${path} is not a COCO annotation file: ${problem}`);
}

function nameOf(entry: unknown, index: number): string {
  const named = z.looseObject({ file_name: z.string().max(1_024) }).safeParse(entry);
  return named.success && named.data.file_name !== '' ? named.data.file_name : `images[${index}]`;
}

/** Category id -> name and label value. */
type Categories = ReadonlyMap<string, { name: string; value: MatchedClass }>;

function categoryValues({ categories }: CocoFile, taxonomy: Taxonomy, rules: ClassRules, path: string): Categories {
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

function cocoFacts(image: CocoImage): ImageFacts {
  const extra = Object.fromEntries(Object.entries(image).filter(([name]) => !COCO_FIELDS.includes(name)));
  const { attributes, tags, ...own } = extra;
  const record = z.record(z.string(), z.unknown()).catch({});
  const saidIn = (fields: unknown): [string, unknown][] =>
    // An empty field does not hide others.
    Object.entries(record.parse(fields)).filter(([, value]) => value != null && value !== '');
  // Other tools' fields of these names may mean anything: an unknown value is ignored, but a split must be known.
  const others = [...saidIn(own), ...saidIn(attributes)].filter(
    ([name, value]) => name === 'split' || isUsable(name, value),
  );
  // If two set the same fact, the later counts: people write `tags` for partloop.
  return factsFrom(Object.fromEntries([...others, ...saidIn(tags)])).facts;
}

function isUsable(name: string, value: unknown): boolean {
  try {
    return factsFrom({ [name]: value }).unknown.length === 0;
  } catch {
    return false;
  }
}

function paint(
  annotations: readonly unknown[],
  size: { width: number; height: number },
  categories: Categories,
  taxonomy: Taxonomy,
): ItemLabel {
  const notes: string[] = [];
  const shapes = annotations.flatMap((annotation, index) => {
    const name = annotationName(annotation, index);
    const shape = toShape(annotation, name, size, categories, taxonomy);
    if (shape?.area === 0) notes.push(`${name} covers no pixel`);
    return shape ?? [];
  });
  return { pixels: painted(paintShapes(shapes, size), shapes), notes };
}

/** null for an annotation that is left out by request. */
function toShape(
  annotation: unknown,
  name: string,
  { width, height }: { width: number; height: number },
  categories: Categories,
  taxonomy: Taxonomy,
): Shape | null {
  const category = categories.get(categoryOf(annotation) ?? '');
  if (category !== undefined && category.value === null) return null;
  const named = category === undefined ? name : `${name} (${category.name})`;
  const { category: id, segmentation } = parseAnnotation(annotation, named);
  if (category === undefined)
    throw new PartloopError('data-invalid', `${name} has category ${id}, which the file does not list`);
  if (category.value == null) throw new PartloopError('data-invalid', unknownClass(category.name, taxonomy));
  if (Array.isArray(segmentation)) for (const ring of segmentation) checkRing(ring, name, width, height);
  else if (segmentation.size[0] !== height || segmentation.size[1] !== width)
    throw new PartloopError(
      'data-invalid',
      `${name} is a mask of ${segmentation.size[1]}×${segmentation.size[0]}, not ${width}×${height}`,
    );
  return segmentationShape(segmentation, category.value, { width, height });
}

/** A ring that misses the picture was written in another unit, or for another picture. */
function checkRing(ring: readonly number[], name: string, width: number, height: number): void {
  let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let at = 0; at < ring.length; at += 2) {
    const [x, y] = [ring[at] as number, ring[at + 1] as number];
    [x0, x1, y0, y1] = [Math.min(x0, x), Math.max(x1, x), Math.min(y0, y), Math.max(y1, y)];
  }
  const isFraction = x1 <= 1 + SLIP && y1 <= 1 + SLIP && x0 >= -SLIP && y0 >= -SLIP;
  if (isFraction && Math.max(width, height) > 2)
    throw new PartloopError('data-invalid', `${name} has coordinates from 0 to 1: fractions, not pixels`);
  if (x1 <= 0 || y1 <= 0 || x0 >= width || y0 >= height)
    throw new PartloopError(
      'data-invalid',
      `${name} lies outside the picture: it reaches from ${x0}, ${y0} to ${x1}, ${y1}, the picture has ${width}×${height}`,
    );
}

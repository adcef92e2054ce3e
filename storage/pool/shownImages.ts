import { z } from 'zod';
import { PartloopError } from '../../domain/base/errors.js';
import { parseText } from '../../domain/base/jsonText.js';
import { type IndexRow, indexRowSchema } from '../../domain/tables.js';
import { TAG_NAMES, type Tags, tagsSchema } from '../../domain/tags.js';
import { keys } from '../keys.js';
import { streamFile } from '../tables/table.js';
import type { Cells } from '../tables/typedColumns.js';
import { readWanted, type Segments } from './wantedRows.js';

/** What a page needs of an image: where its picture and label are, how large they are, and its tags. */
export type ShownImage = Pick<
  IndexRow,
  'imageId' | 'fileName' | 'imageUri' | 'imageEtag' | 'labelUri' | 'labelSha256' | 'width' | 'height'
> &
  Tags;

const TAGS = TAG_NAMES.map((name) => `'${name}', "${name}"`).join(', ');
const SELECTION = [
  ...['imageId', 'fileName', 'imageUri', 'imageEtag', 'labelUri', 'labelSha256', 'width::DOUBLE', 'height::DOUBLE'],
  ...[`json_object(${TAGS})::VARCHAR`, 'to_json(classes)::VARCHAR', 'labelRevision::DOUBLE', 'removedAt IS NOT NULL'],
];
const [ID, NAME, IMAGE, ETAG, LABEL, SHA256, WIDTH, HEIGHT, TAG_TEXT, CLASS_TEXT, REVISION, REMOVED] = [
  ...[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
] as const;
/** Columns that a segment of an earlier version may lack. */
const OPTIONAL = {
  ...{ angle: 'BIGINT', vehicle: 'VARCHAR', damage: 'VARCHAR', black: 'BOOLEAN', reflection: 'BOOLEAN' },
  ...{ zoomed: 'BOOLEAN', orientation: 'VARCHAR', region: 'VARCHAR', removedAt: 'VARCHAR' },
};
const rowSchema = indexRowSchema.omit({ perceptualHash: true, tagOrigins: true, vehicleId: true, source: true });
const classesSchema = z.array(z.number().int().nonnegative());
const IS_SHA256 = /^[0-9a-f]{64}$/;

/** Some images of a pool by column. Texts that follow from others are not kept. */
export class ShownImages {
  readonly #places = new Map<string, number>();
  readonly #names: string[] = [];
  /** null where the key follows from the pool and the digest. */
  readonly #imageUris: (string | null)[] = [];
  readonly #etags: (string | null)[] = [];
  readonly #labelUris: (string | null)[] = [];
  readonly #labels: string[] = [];
  readonly #widths: number[] = [];
  readonly #heights: number[] = [];
  readonly #tags: Tags[] = [];
  readonly #classes: (readonly number[])[] = [];
  readonly #revisions: number[] = [];
  readonly #removed: boolean[] = [];
  /** Tags and classes of many images are the same text. */
  readonly #tagTexts = new Map<string, Tags>();
  readonly #classTexts = new Map<string, readonly number[]>();

  constructor(private readonly pool: string) {}

  /** null if the pool does not have it. */
  of(imageId: string): ShownImage | null {
    const at = this.#places.get(imageId);
    if (at === undefined || this.#removed[at] !== false) return null;
    const labelSha256 = this.#labels[at] ?? '';
    return {
      ...{ imageId, fileName: this.#names[at] ?? '', imageEtag: this.#etags[at] ?? null, labelSha256 },
      imageUri: this.#imageUris[at] ?? keys.image(this.pool, imageId),
      labelUri: this.#labelUris[at] ?? keys.label(this.pool, labelSha256),
      ...{ width: this.#widths[at] ?? 0, height: this.#heights[at] ?? 0 },
      ...(this.#tags[at] as Tags),
    };
  }

  /** The tags of an image that the pool has; null otherwise. */
  tagsOf(imageId: string): Tags | null {
    const at = this.#places.get(imageId);
    return at === undefined || this.#removed[at] !== false ? null : (this.#tags[at] ?? null);
  }

  /** By label value: the images whose label has it. */
  countClasses(): Map<number, number> {
    const counts = new Map<number, number>();
    for (const [at, classes] of this.#classes.entries()) {
      if (this.#removed[at] !== false) continue;
      for (const value of classes) counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    return counts;
  }

  /** Take a row over if it is the newest of its image; false if it is not as `indexRowSchema` says. */
  add({ cell }: Cells, row: number): boolean {
    const [imageId, name, uri, etag] = [cell(ID, row), cell(NAME, row), cell(IMAGE, row), cell(ETAG, row)];
    const [labelUri, sha256, revision] = [cell(LABEL, row), cell(SHA256, row), cell(REVISION, row)];
    const [width, height, removed] = [cell(WIDTH, row), cell(HEIGHT, row), cell(REMOVED, row)];
    const tags = known(this.#tagTexts, cell(TAG_TEXT, row), tagsSchema);
    const classes = known(this.#classTexts, cell(CLASS_TEXT, row), classesSchema);
    if (typeof imageId !== 'string' || typeof name !== 'string' || typeof uri !== 'string') return false;
    if (typeof labelUri !== 'string' || typeof sha256 !== 'string' || !IS_SHA256.test(sha256)) return false;
    if (!isCount(width) || !isCount(height) || !isCount(revision)) return false;
    if (tags === null || classes === null || (etag !== null && typeof etag !== 'string')) return false;
    const there = this.#places.get(imageId);
    if (there !== undefined && revision <= (this.#revisions[there] ?? 0)) return true;
    const at = there ?? this.#names.length;
    this.#places.set(imageId, at);
    this.#names[at] = name;
    this.#imageUris[at] = uri === keys.image(this.pool, imageId) ? null : uri;
    this.#etags[at] = etag;
    this.#labelUris[at] = labelUri === keys.label(this.pool, sha256) ? null : labelUri;
    this.#labels[at] = sha256;
    this.#widths[at] = width;
    this.#heights[at] = height;
    this.#tags[at] = tags;
    this.#classes[at] = classes;
    this.#revisions[at] = revision;
    this.#removed[at] = removed === true;
    return true;
  }
}

/**
 * Read what pages need of some images of a pool.
 *
 * @param segments calls `read` with the file of each segment, in order
 */
export async function readShownImages(
  pool: string,
  imageIds: readonly string[],
  segments: Segments,
): Promise<ShownImages> {
  const images = new ShownImages(pool);
  const add = (cells: Cells, row: number): boolean => images.add(cells, row);
  await readWanted(segments, { imageIds, selection: SELECTION, optional: OPTIONAL, add, refuse });
  return images;
}

/** The value of a JSON text, read once for all rows with it; null if it does not fit the schema. */
function known<T>(texts: Map<string, T>, text: unknown, schema: z.ZodType<T>): T | null {
  if (typeof text !== 'string') return null;
  const there = texts.get(text);
  if (there !== undefined) return there;
  const parsed = schema.safeParse(parseText(text, 'a column of an index row'));
  if (!parsed.success) return null;
  texts.set(text, parsed.data);
  return parsed.data;
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

/** Tell of the first row that is not as it should be, as every other reader of tables does. */
async function refuse(path: string, origin: string): Promise<never> {
  for await (const _ of streamFile(path, origin, rowSchema));
  throw new PartloopError('data-invalid', `${origin} has a row that tells no image`);
}

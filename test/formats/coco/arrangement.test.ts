import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import fc from 'fast-check';
import { z } from 'zod';
import { PartloopError } from '../../../domain/base/errors.js';
import { readCoco } from '../../../formats/coco/import.js';
import { paintAnnotations } from '../../../formats/coco/label.js';
import type { ImportEntry } from '../../../formats/reading/importItem.js';
import { save, TAXONOMY } from '../../support/pictures/pictures.js';
import { box, CATEGORIES, CocoFolder, HEIGHT, hood, WIDTH } from './kit.js';

const SIZE = { width: WIDTH, height: HEIGHT };
/** Value of each category that the taxonomy has. */
const VALUES = new Map([
  ['_background_', 0],
  ['hood', 1],
  ['wheel', 2],
  ['mirror', 3],
]);
const categories = new Map(CATEGORIES.map(({ id, name }) => [String(id), { name, value: VALUES.get(name) }] as const));
const EMPTY = 'it has no annotations: --empty background takes such pictures as showing no part';

/** What an import makes of an entry, in a form that can be compared. */
type Made = { notice: number; examples: string[] } | { name: string; label: string };

const idSchema = z.union([z.number(), z.string()]).transform(String);
const ownId = (value: unknown, field: 'id' | 'image_id'): string | null =>
  (z.looseObject({ [field]: idSchema }).safeParse(value).data?.[field] as string | null | undefined) ?? null;
const imageSchema = z.looseObject({ id: idSchema, file_name: z.string(), width: z.number(), height: z.number() });

/** The same from the lists of the file as a whole. */
async function expected(images: readonly unknown[], annotations: readonly unknown[]): Promise<Made[] | string> {
  const valid = images.map((entry) => imageSchema.safeParse(entry).data ?? null);
  const ids = valid.flatMap((image) => image?.id ?? []);
  if (new Set(ids).size < ids.length) return 'has two images with the same id';
  const owned = images.map((entry) => ownId(entry, 'id'));
  const strays = annotations.flatMap((annotation, at) => {
    const owner = ownId(annotation, 'image_id');
    const id = ownId(annotation, 'id');
    return owner !== null && owned.includes(owner)
      ? []
      : [id === null ? `annotation number ${at}` : `annotation ${id}`];
  });
  const made: Made[] = strays.length === 0 ? [] : [{ notice: strays.length, examples: strays.slice(0, 5) }];
  for (const [at, image] of valid.entries()) {
    if (image === null) {
      const name = z.looseObject({ file_name: z.string() }).safeParse(images[at]).data?.file_name ?? `images[${at}]`;
      made.push({ name, label: 'its entry is not valid' });
      continue;
    }
    const own = annotations.filter((annotation) => ownId(annotation, 'image_id') === image.id);
    const label = async () => {
      if (own.length === 0) throw new PartloopError('data-invalid', EMPTY);
      return paintAnnotations(own, SIZE, categories, TAXONOMY);
    };
    made.push({ name: image.file_name, label: await textOf(label) });
  }
  return made;
}

const textOf = (label: () => Promise<{ pixels: Uint8Array }>): Promise<string> =>
  label().then(
    ({ pixels }) => pixels.join(''),
    (error: unknown) => (error instanceof PartloopError ? error.message : String(error)),
  );

async function read(entries: AsyncIterable<ImportEntry>): Promise<Made[] | string> {
  const found: ImportEntry[] = [];
  try {
    for await (const entry of entries) found.push(entry);
  } catch (error) {
    return error instanceof PartloopError ? error.message.replace(/^\S+ /, '') : String(error);
  }
  // Labels are made after the last entry was read, as an import may do it.
  return Promise.all(
    found.map(async (entry): Promise<Made> => {
      if ('notice' in entry) return { notice: entry.count, examples: entry.examples };
      if ('reason' in entry) return { name: entry.fileName, label: entry.reason.split(':')[0] ?? '' };
      return { name: entry.fileName, label: await textOf(() => entry.label(SIZE)) };
    }),
  );
}

const id = fc.constantFrom<unknown>(1, 2, '2', 3, 'käfer', '\ud83d', '__proto__');
const image = fc.record(
  {
    id,
    file_name: fc.constantFrom('a.jpg', 'b/ü.jpg', 'c "d".jpg'),
    width: fc.constant(WIDTH),
    height: fc.constantFrom<unknown>(HEIGHT, HEIGHT, HEIGHT, 'tall'),
    extra: fc.jsonValue(),
  },
  { requiredKeys: ['id', 'file_name', 'width'] },
);
const shape = fc
  .tuple(fc.nat(WIDTH - 4), fc.nat(HEIGHT - 4), fc.integer({ min: 2, max: 4 }))
  .map(([x, y, side]) => [box(x, y, x + side, y + side)]);
const annotation = fc.record(
  {
    id: fc.oneof(fc.nat(), fc.string()),
    image_id: fc.oneof({ weight: 6, arbitrary: id }, fc.constantFrom<unknown>(null, 99, {})),
    category_id: fc.constantFrom<unknown>(1, 2, 3, '4', 9, 77),
    segmentation: fc.oneof({ weight: 6, arbitrary: shape }, fc.jsonValue()),
  },
  { requiredKeys: ['segmentation'] },
);
const file = fc.record({
  images: fc.array(fc.oneof({ weight: 9, arbitrary: image }, fc.jsonValue()), { maxLength: 5 }),
  annotations: fc.array(fc.oneof({ weight: 9, arbitrary: annotation }, fc.jsonValue()), { maxLength: 12 }),
  others: fc.array(fc.tuple(fc.constantFrom('info', 'licenses', '__proto__', 'Images'), fc.jsonValue())),
  order: fc.infiniteStream(fc.nat(5)),
  earlier: fc.boolean(),
  indent: fc.constantFrom(0, 2),
  mark: fc.boolean(),
});

describe('a COCO file', function () {
  this.timeout(120_000);
  const coco = CocoFolder.perTest();
  const scratch = process.env.TMPDIR;
  beforeEach(() => {
    process.env.TMPDIR = coco.path;
  });
  afterEach(() => {
    if (scratch === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = scratch;
  });

  const entriesOf = (path: string) =>
    readCoco({ place: coco.path, annotations: path, taxonomy: TAXONOMY, followLinks: false });

  it('means the same however its sections and annotations are arranged', async () => {
    await fc.assert(
      fc.asyncProperty(file, async ({ images, annotations, others, order, earlier, indent, mark }) => {
        const sections: [string, unknown][] = [
          ['images', images],
          ['categories', CATEGORIES],
        ];
        sections.push(['annotations', annotations]);
        for (const section of others) sections.splice(order.next().value as number, 0, section);
        sections.sort(() => (order.next().value as number) - 2);
        // Of two fields with one name the last one counts.
        if (earlier) sections.unshift(['annotations', [{ image_id: 1 }]], ['images', [{ id: 1 }]], ['categories', 7]);
        const fields = sections.map(
          ([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value, null, indent)}`,
        );
        const path = await save(coco.path, 'file.json', `${mark ? '\uFEFF' : ''}{${fields.join(',\n')}}`);
        const parsed = (value: unknown): unknown[] => JSON.parse(JSON.stringify(value));
        assert.deepEqual(await read(entriesOf(path)), await expected(parsed(images), parsed(annotations)));
      }),
      { numRuns: 100 },
    );
    assert.deepEqual(await readdir(coco.path), ['file.json']);
  });

  it('is refused for what its sections are, and for those that it lacks', async () => {
    const good = { images: [], categories: CATEGORIES, annotations: [] };
    const bad: [unknown, RegExp][] = [
      [{ ...good, images: undefined }, /is not a COCO annotation file: images: is missing/],
      [{ ...good, images: {} }, /images: Invalid input: expected array, received object/],
      [{ ...good, annotations: 'none' }, /annotations: Invalid input: expected array, received string/],
      [{ ...good, categories: [{ id: 1 }] }, /categories\.0\.name: is missing/],
      [{ categories: null }, /images: is missing; categories: Invalid input: .* null; annotations: is missing/],
      [[good], /it: Invalid input: expected object, received array/],
      [7, /it: Invalid input: expected object, received number/],
    ];
    for (const [value, message] of bad) {
      const path = await save(coco.path, 'file.json', JSON.stringify(value));
      assert.match(String(await read(entriesOf(path))), message, JSON.stringify(value));
    }
  });

  it('leaves nothing behind on the disk if the reading ends early', async () => {
    const entry = (at: number) => ({ id: at, file_name: `${at}.jpg`, ...SIZE });
    const images = [entry(1), entry(2), entry(3)];
    const path = await save(
      coco.path,
      'file.json',
      JSON.stringify({ images, categories: CATEGORIES, annotations: [] }),
    );
    for await (const first of entriesOf(path)) {
      assert.equal('fileName' in first && first.fileName, '1.jpg');
      break;
    }
    assert.deepEqual(await readdir(coco.path), ['file.json']);
  });

  it('may not change while it is read', async () => {
    const images = [{ id: 1, file_name: '1.jpg', ...SIZE }];
    const content = { images, categories: CATEGORIES, annotations: [{ ...hood, image_id: 1 }] };
    const path = await save(coco.path, 'file.json', JSON.stringify(content));
    for await (const entry of entriesOf(path)) {
      await save(coco.path, 'file.json', JSON.stringify({ ...content, info: 'new' }));
      const isFault = (error: unknown) => error instanceof PartloopError && error.code === 'interrupted';
      await assert.rejects(async () => 'label' in entry && (await entry.label(SIZE)), isFault);
    }
  });
});

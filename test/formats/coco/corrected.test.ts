import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { z } from 'zod';
import type { Taxonomy } from '../../../domain/taxonomy.js';
import { writeCorrectedFile } from '../../../formats/coco/corrected/file.js';
import { paintAnnotations } from '../../../formats/coco/label.js';
import { TAXONOMY as three } from '../../support/pictures/pictures.js';

const SIZE = { width: 12, height: 10 };
const PIXELS = SIZE.width * SIZE.height;
const VALUES = new Map([
  ['7', 0],
  ['10', 1],
  ['20', 2],
  ['30', 3],
]);
const TAXONOMY: Taxonomy = three;
const categories = new Map([...VALUES].map(([id, value]) => [id, { name: `class ${id}`, value }]));

const annotationSchema = z.looseObject({ id: z.number(), image_id: z.number(), category_id: z.number() });
const fileSchema = z.looseObject({ annotations: z.array(annotationSchema) });

const box = fc
  .record({
    x: fc.integer({ min: 0, max: 9 }),
    y: fc.integer({ min: 0, max: 7 }),
    w: fc.integer({ min: 1, max: 8 }),
    h: fc.integer({ min: 1, max: 8 }),
  })
  .map(({ x, y, w, h }) => [[x, y, x + w, y, x + w, y + h, x, y + h]]);
const annotations = fc
  .array(
    fc.record({
      image_id: fc.constantFrom(1, 2, 3),
      category_id: fc.constantFrom(7, 10, 20, 30),
      segmentation: box,
      score: fc.option(fc.double({ noNaN: true }), { nil: undefined }),
      'no field of ours': fc.option(fc.string(), { nil: undefined }),
    }),
    { maxLength: 12 },
  )
  .map((list) => list.map((fields, at) => ({ id: 100 + at, ...fields })));
const label = fc.uint8Array({ minLength: PIXELS, maxLength: PIXELS, max: 3 });
/** A correction as people make it: a region of the painted label becomes another class. */
const correction = fc.record({
  x0: fc.integer({ min: 0, max: 11 }),
  y0: fc.integer({ min: 0, max: 9 }),
  side: fc.integer({ min: 1, max: 8 }),
  from: fc.integer({ min: 0, max: 3 }),
  to: fc.integer({ min: 0, max: 3 }),
});

describe('a corrected COCO file', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'partloop-corrected-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  async function correct(text: string, labels: ReadonlyMap<string, Uint8Array>) {
    const [path, out] = [join(folder, 'in.json'), join(folder, 'out.json')];
    await writeFile(path, text);
    const written = await writeCorrectedFile({
      ...{ path, out, values: VALUES, corrected: new Set(labels.keys()) },
      labelOf: async (name) => ({ ...SIZE, pixels: labels.get(name) ?? new Uint8Array(PIXELS) }),
    });
    return { written, text: await readFile(out, 'utf8') };
  }
  const fileOf = (list: readonly object[], indent?: number): string =>
    JSON.stringify(
      {
        info: { année: '2026', version: 1.5 },
        annotations: list,
        images: [1, 2, 3].map((id) => ({ id, file_name: `${id}.png`, ...SIZE, extra: [id] })),
        categories: [...VALUES.keys()].map((id) => ({ id: Number(id), name: `class ${id}` })),
      },
      null,
      indent,
    );
  const painted = (list: readonly { image_id: number }[], image: number): Uint8Array => {
    const own = list.filter(({ image_id }) => image_id === image);
    return paintAnnotations(own, SIZE, categories, TAXONOMY).pixels;
  };
  const canPaint = (list: readonly { image_id: number; category_id: number }[]): boolean => {
    try {
      return [1, 2, 3].every((image) => painted(list, image).length === PIXELS);
    } catch {
      return false;
    }
  };

  it('has the bytes of the original if nothing was corrected', async () => {
    await fc.assert(
      fc.asyncProperty(annotations, fc.integer({ min: 0, max: 4 }), async (list, indent) => {
        const text = `\uFEFF${fileOf(list, indent)}\n\n`;
        assert.equal((await correct(text, new Map())).text, text);
      }),
      { numRuns: 30 },
    );
  });

  it('paints the corrected labels, and has all else as it was', async () => {
    await fc.assert(
      fc.asyncProperty(
        annotations,
        label,
        correction,
        fc.integer({ min: 0, max: 3 }),
        async (list, any, part, indent) => {
          fc.pre(list.length > 0 && canPaint(list));
          const partly = painted(list, 1).map((value, pixel) => {
            const [x, y] = [pixel % SIZE.width, Math.floor(pixel / SIZE.width)];
            const isInside = x >= part.x0 && x < part.x0 + part.side && y >= part.y0 && y < part.y0 + part.side;
            return isInside && value === part.from ? part.to : value;
          });
          const labels = new Map([
            ['1.png', partly],
            ['2.png', any],
          ]);
          const text = fileOf(list, indent);
          const corrected = await correct(text, labels);
          assert.deepEqual(corrected.written.leftOut, []);
          const before = fileSchema.parse(JSON.parse(text));
          const after = fileSchema.parse(JSON.parse(corrected.text));
          assert.deepEqual({ ...after, annotations: [] }, { ...before, annotations: [] });
          assert.deepEqual(
            after.annotations.filter(({ image_id }) => image_id === 3),
            before.annotations.filter(({ image_id }) => image_id === 3),
          );
          assert.equal(new Set(after.annotations.map(({ id }) => id)).size, after.annotations.length);
          const kept = after.annotations.filter(({ id }) => id < 100 + list.length).map(({ id }) => id);
          assert.deepEqual(
            kept,
            [...kept].sort((a, b) => a - b),
          );
          if (partly.some((value) => value !== 0)) assert.deepEqual(painted(after.annotations, 1), partly);
          if (any.some((value) => value !== 0)) assert.deepEqual(painted(after.annotations, 2), any);
          for (const one of after.annotations) {
            const old = before.annotations.find(({ id }) => id === one.id);
            if (old === undefined) continue;
            for (const field of ['score', 'no field of ours', 'image_id']) assert.deepEqual(one[field], old[field]);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  const rectangle = (x: number, y: number, w: number, h: number): number[][] => [
    [x, y, x + w, y, x + w, y + h, x, y + h],
  ];
  const two = [
    { id: 1, image_id: 1, category_id: 10, segmentation: rectangle(0, 0, 4, 4), note: 'first' },
    { id: 2, image_id: 1, category_id: 20, segmentation: rectangle(6, 0, 4, 4), note: 'second' },
  ];

  it('changes the class of an annotation that is another one as a whole, and keeps its outline', async () => {
    const right = painted(two, 1).map((value) => (value === 1 ? 3 : value));
    const { text, written } = await correct(fileOf(two), new Map([['1.png', right]]));
    assert.deepEqual([written.changed, written.dropped, written.added], [1, 0, 0]);
    assert.deepEqual(fileSchema.parse(JSON.parse(text)).annotations, [{ ...two[0], category_id: 30 }, two[1]]);
  });

  it('adds a part that was missing, joins one that touches its own, and removes one that is not there', async () => {
    const right = painted(two, 1).map((value, pixel) => {
      const [x, y] = [pixel % SIZE.width, Math.floor(pixel / SIZE.width)];
      if (y >= 6 && x < 3) return 3;
      if (y < 4 && x === 4) return 1;
      return value === 2 ? 0 : value;
    });
    const { text, written } = await correct(fileOf(two), new Map([['1.png', right]]));
    assert.deepEqual([written.changed, written.dropped, written.added], [1, 1, 1]);
    const { annotations: after } = fileSchema.parse(JSON.parse(text));
    assert.deepEqual(
      after.map(({ id, category_id, area, bbox, note }) => ({ id, category_id, area, bbox, note })),
      [
        { id: 1, category_id: 10, area: 20, bbox: [0, 0, 5, 4], note: 'first' },
        { id: 3, category_id: 30, area: 12, bbox: [0, 6, 3, 4], note: undefined },
      ],
    );
  });

  it('is made from labels whose overlaps are counted: the pixels that a part lost to another or to background', () => {
    const lying = (category_id: number) => [two[0], { ...two[1], category_id, segmentation: rectangle(2, 2, 2, 1) }];
    const lost = [20, 7].map((id) => paintAnnotations(lying(id), SIZE, categories, TAXONOMY).overlapPx);
    assert.deepEqual(lost, [2, 2]);
    assert.equal(paintAnnotations(two, SIZE, categories, TAXONOMY).overlapPx, 0);
  });

  it('leaves out, by name, what it cannot write, and never writes over the original', async () => {
    const twice = fileOf(two).replace('"2.png"', '"1.png"');
    const { written, text } = await correct(
      twice,
      new Map([
        ['1.png', new Uint8Array(PIXELS)],
        ['9.png', new Uint8Array(PIXELS)],
      ]),
    );
    assert.equal(text, twice);
    assert.deepEqual(written.leftOut, [
      { fileName: '1.png', reason: 'the file lists it several times' },
      { fileName: '9.png', reason: 'the file does not list it' },
    ]);
    const strange = new Uint8Array(PIXELS).fill(9);
    assert.match(
      (await correct(fileOf(two), new Map([['1.png', strange]]))).written.leftOut[0]?.reason ?? '',
      /value 9/,
    );
    const path = join(folder, 'in.json');
    const options = { path, out: path, values: VALUES, corrected: new Set<string>() };
    await assert.rejects(
      writeCorrectedFile({ ...options, labelOf: () => Promise.reject(new Error('no label')) }),
      /is the annotation file itself/,
    );
  });
});

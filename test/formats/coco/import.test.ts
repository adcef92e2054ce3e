import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { dsmlr18 } from '../../../domain/taxonomies/dsmlr18.js';
import { readCoco } from '../../../formats/coco/import.js';
import { segmentationShape } from '../../../formats/coco/segmentation.js';
import { paintShapes } from '../../../formats/paint.js';
import { readLabel } from '../../../storage/imageSource.js';
import { decodeLabel } from '../../../storage/labelMask.js';
import { openPool } from '../../../storage/pool.js';
import { memoryStore } from '../../support/memoryStore.js';
import { dsmlrTestSet } from '../../support/photos.js';
import { picture, runImport, save, TAXONOMY } from '../../support/pictures.js';

const WIDTH = 24;
const HEIGHT = 16;
const CATEGORIES = [
  { id: 1, name: '_background_' },
  { id: 2, name: 'hood' },
  { id: 3, name: 'wheel' },
  { id: 4, name: 'mirror' },
  { id: 9, name: 'antenna' },
];
const box = (x0: number, y0: number, x1: number, y1: number): number[] => [x0, y0, x1, y0, x1, y1, x0, y1];

describe('an import of COCO annotations', function () {
  this.timeout(120_000);
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pl-'));
  });

  afterEach(() => rm(folder, { recursive: true, force: true }));

  const annotationFile = (annotations: readonly object[], images: readonly object[] = [imageEntry(1)]) =>
    save(folder, 'annotations.json', JSON.stringify({ images, categories: CATEGORIES, annotations }));

  /** Label values of the one picture of 24×16 that carries `annotations`. */
  const labelled = async (annotations: readonly object[]): Promise<(x: number, y: number) => number | undefined> => {
    await save(folder, 'images/1.jpg', await picture(1));
    const path = await annotationFile(annotations.map((entry) => ({ image_id: 1, ...entry })));
    const store = memoryStore();
    const { refused } = await runImport(
      store,
      readCoco({ place: join(folder, 'images'), annotations: path, taxonomy: TAXONOMY, followLinks: false }),
    );
    assert.deepEqual(refused, []);
    const [row] = await (await openPool(store, 'cars')).readIndex(1);
    assert.ok(row);
    const { pixels } = await decodeLabel(await readLabel(store, row));
    return (x, y) => pixels[y * WIDTH + x];
  };

  it('paints every polygon of a part, also where it is split in two', async () => {
    const at = await labelled([{ category_id: 2, segmentation: [box(0, 0, 4, 4), box(10, 10, 12, 12)] }]);
    assert.deepEqual([at(0, 0), at(3, 3), at(4, 4), at(10, 10), at(11, 11), at(12, 12)], [1, 1, 0, 1, 1, 0]);
  });

  it('leaves no gap and no doubt between parts that touch', async () => {
    const at = await labelled([
      { category_id: 2, segmentation: [box(0, 0, 6.5, 16)] },
      { category_id: 3, segmentation: [box(6.5, 0, 24, 16)] },
    ]);
    assert.deepEqual([at(5, 8), at(6, 8), at(7, 8)], [1, 2, 2]);
  });

  it('puts the smaller annotation on top, whichever comes first; of equal areas the later one', async () => {
    const hood = { category_id: 2, segmentation: [box(0, 0, 10, 10)] };
    const mirror = { category_id: 4, segmentation: [box(4, 4, 6, 6)] };
    const nothing = { category_id: 1, segmentation: [box(0, 0, 24, 16)] };
    for (const order of [
      [hood, mirror],
      [mirror, hood],
      [mirror, hood, nothing],
    ]) {
      const at = await labelled(order);
      assert.deepEqual([at(2, 2), at(5, 5)], [1, 3]);
    }
    const at = await labelled([mirror, { category_id: 3, segmentation: mirror.segmentation }]);
    assert.equal(at(5, 5), 2);
  });

  it('takes a polygon of 150,000 points, and names one that is no list of numbers without listing them all', async () => {
    const points = 150_000;
    const circle = Array.from({ length: points }, (_, point) => {
      const turn = (2 * Math.PI * point) / points;
      return [12 + 6 * Math.cos(turn), 8 + 6 * Math.sin(turn)];
    });
    const at = await labelled([{ category_id: 2, segmentation: [circle.flat()] }]);
    assert.deepEqual([at(12, 8), at(7, 8), at(5, 8), at(0, 0)], [1, 1, 0, 0]);
    await save(folder, 'images/2.jpg', await picture(2));
    const bad = { image_id: 1, category_id: 2, segmentation: [new Array<string>(300_000).fill('x')] };
    const path = await annotationFile(
      [bad, { image_id: 2, category_id: 2, segmentation: [box(0, 0, 4, 4)] }],
      [imageEntry(1), imageEntry(2)],
    );
    const { added, refused } = await runImport(
      memoryStore(),
      readCoco({ place: join(folder, 'images'), annotations: path, taxonomy: TAXONOMY, followLinks: false }),
    );
    assert.equal(added, 1);
    assert.deepEqual(
      refused.map(({ fileName }) => fileName),
      ['1.jpg'],
    );
    assert.ok((refused[0]?.reason.length ?? 0) < 500, refused[0]?.reason.slice(0, 600));
  });

  it('keeps the hole of a run-length mask', async () => {
    const inside = (x: number, y: number): boolean =>
      x >= 2 && x < 12 && y >= 2 && y < 12 && !(x >= 5 && x < 8 && y >= 5 && y < 8);
    const counts = runsOf(inside);
    for (const encoded of [counts, compressed(counts)]) {
      const at = await labelled([{ category_id: 3, segmentation: { size: [HEIGHT, WIDTH], counts: encoded } }]);
      assert.deepEqual([at(2, 2), at(11, 11), at(6, 6), at(12, 12), at(2, 11)], [2, 2, 0, 0, 2]);
    }
  });

  it('reads the compressed form of any run-length mask as the plain one', () => {
    const shape = fc.array(fc.boolean(), { minLength: WIDTH * HEIGHT, maxLength: WIDTH * HEIGHT });
    fc.assert(
      fc.property(shape, (bits) => {
        const counts = runsOf((x, y) => bits[y * WIDTH + x] === true);
        const canvas = { width: WIDTH, height: HEIGHT };
        const painted = (written: number[] | string): Uint8Array =>
          paintShapes([segmentationShape({ size: [HEIGHT, WIDTH], counts: written }, 7, canvas)], canvas);
        const plain = painted(counts);
        const packed = painted(compressed(counts));
        assert.deepEqual(packed, plain);
        assert.deepEqual(
          [...plain],
          bits.map((bit) => (bit ? 7 : 0)),
        );
      }),
      { numRuns: 30 },
    );
  });

  it('lists pictures whose annotations are not usable, and takes the rest', async () => {
    for (const id of [1, 2, 3, 4, 5, 6]) await save(folder, `images/${id}.jpg`, await picture(id));
    const path = await annotationFile(
      [
        { image_id: 1, category_id: 2, segmentation: [box(0, 0, 4, 4)] },
        { image_id: 2, category_id: 9, segmentation: [box(0, 0, 4, 4)] },
        { image_id: 3, category_id: 2, segmentation: [[0, 0, 4]] },
        { image_id: 4, category_id: 2, segmentation: { size: [HEIGHT, WIDTH], counts: [5] } },
        { image_id: 6, category_id: 77, segmentation: [box(0, 0, 4, 4)] },
        { image_id: 99, category_id: 2, segmentation: [box(0, 0, 4, 4)] },
      ],
      [imageEntry(1), imageEntry(2), imageEntry(3), imageEntry(4), { ...imageEntry(5), width: 25 }, imageEntry(6)],
    );
    const { added, refused } = await runImport(
      memoryStore(),
      readCoco({ place: join(folder, 'images'), annotations: path, taxonomy: TAXONOMY, followLinks: false }),
    );
    assert.equal(added, 1);
    const reasons = [
      /category antenna is not in taxonomy three.*--class-map "antenna=CLASS".*--ignore-class/,
      /annotation number 0 \(hood\) is not valid: segmentation/,
      /cover 5 of 384 pixels/,
      /are for 25×16/,
      /has category 77, which the file does not list/,
    ];
    assert.equal(refused.length, reasons.length);
    for (const [index, reason] of reasons.entries()) assert.match(refused[index]?.reason ?? '', reason);
  });

  it('says what is wrong with a file that is of no use at all', async () => {
    const attempt = async (path: string): Promise<unknown> =>
      runImport(memoryStore(), readCoco({ place: folder, annotations: path, taxonomy: TAXONOMY, followLinks: false }));
    await assert.rejects(attempt(join(folder, 'none.json')), /none\.json cannot be read/);
    await assert.rejects(
      attempt(await save(folder, 'text.json', 'text')),
      /text\.json is not JSON: line 1, column 1, at `text`/,
    );
    await assert.rejects(attempt(await save(folder, 'list.json', '[]')), /not a COCO annotation file/);
    const foreign = { images: [], annotations: [], categories: [{ id: 1, name: 'cat' }] };
    await assert.rejects(
      attempt(await save(folder, 'cats.json', JSON.stringify(foreign))),
      /no category of taxonomy three: it has cat/,
    );
  });

  /** What becomes of one picture `1.jpg` with these annotations. */
  const outcome = async (annotations: readonly object[], more: object = {}, image: object = imageEntry(1)) => {
    await save(folder, 'images/1.jpg', await picture(1));
    const path = await annotationFile(
      annotations.map((entry) => ({ image_id: 1, ...entry })),
      [image],
    );
    const store = memoryStore();
    const options = { place: join(folder, 'images'), annotations: path, taxonomy: TAXONOMY, followLinks: false };
    return { store, ...(await runImport(store, readCoco({ ...options, ...more }))) };
  };
  const hood = { category_id: 2, segmentation: [box(0, 0, 4, 4)] };

  it('refuses an annotation that paints nothing, by name, instead of taking its part as background', async () => {
    const bad: [object, RegExp][] = [
      [
        { id: 7, category_id: 3, segmentation: [], bbox: [1, 1, 4, 4] },
        /annotation 7 \(wheel\) has no mask: nobody can tell/,
      ],
      [{ id: 8, category_id: 3, bbox: [1, 1, 4, 4] }, /annotation 8 \(wheel\) has no mask: nobody can tell/],
      [{ id: 9, category_id: 3, segmentation: null }, /annotation 9 \(wheel\) has no mask: nobody can tell/],
      [{ id: 3, category_id: 3, segmentation: [box(0.1, 0.1, 0.9, 0.9)] }, /annotation 3 has coordinates from 0 to 1/],
      [{ id: 4, category_id: 3, segmentation: [box(30, 2, 40, 8)] }, /annotation 4 lies outside the picture/],
      [{ id: 5, category_id: 3, segmentation: [box(-9, -9, -2, -2)] }, /annotation 5 lies outside the picture/],
    ];
    for (const [annotation, reason] of bad) {
      const { added, refused } = await outcome([hood, annotation]);
      assert.equal(added, 0);
      assert.match(refused[0]?.reason ?? '', reason);
    }
  });

  it('never takes a label without a pixel for a picture on which something was drawn', async () => {
    await save(folder, 'images/1.jpg', await picture(1));
    const options = { place: join(folder, 'images'), taxonomy: TAXONOMY, followLinks: false };
    const store = memoryStore();
    const good = await annotationFile([{ ...hood, image_id: 1 }]);
    await runImport(store, readCoco({ ...options, annotations: good }));
    const nothing = [
      { size: [HEIGHT, WIDTH], counts: [WIDTH * HEIGHT] },
      [[-0.001, 0.1, 0.9, 0.1, 1.001, 0.9]],
      [[3, 3, 3.1, 3, 3.1, 3.1]],
    ];
    for (const segmentation of nothing) {
      const path = await annotationFile([{ image_id: 1, category_id: 2, segmentation }]);
      const { refused, replaced } = await runImport(store, readCoco({ ...options, annotations: path }));
      assert.deepEqual([refused.length, replaced], [1, 0], JSON.stringify(segmentation));
    }
    assert.deepEqual((await (await openPool(store, 'cars')).readIndex(1))[0]?.classes, [1]);
  });

  it('refuses a picture without annotations unless it is said to show no part', async () => {
    const { added, refused } = await outcome([]);
    assert.equal(added, 0);
    assert.match(refused[0]?.reason ?? '', /it has no annotations: --empty background/);
    const taken = await outcome([], { empty: 'background' });
    assert.deepEqual([taken.added, taken.unlabelled], [1, ['1.jpg']]);
  });

  it('counts annotations of pictures that the file does not list, by name', async () => {
    const { added, notices } = await outcome([hood, { ...hood, id: 5, image_id: 99 }, { ...hood, image_id: null }]);
    assert.equal(added, 1);
    assert.deepEqual(
      notices.map(({ count, examples }) => [count, examples]),
      [[2, ['annotation 5', 'annotation number 2']]],
    );
  });

  it('refuses a file that gives one id to two categories', async () => {
    await save(folder, 'images/1.jpg', await picture(1));
    const categories = [
      { id: 1, name: 'hood' },
      { id: 1, name: 'wheel' },
    ];
    const annotations = [{ ...hood, image_id: 1, category_id: 1 }];
    const path = await save(folder, 'twice.json', JSON.stringify({ images: [imageEntry(1)], categories, annotations }));
    const entries = readCoco({ place: folder, annotations: path, taxonomy: TAXONOMY, followLinks: false });
    await assert.rejects(runImport(memoryStore(), entries), /gives id 1 to two categories: hood and wheel/);
  });

  it('maps and leaves out categories on request, and refuses rules that name nothing', async () => {
    const antenna = { category_id: 9, segmentation: [box(10, 10, 14, 14)] };
    const rules = (map: [string, string][], leaveOut: string[] = []) => ({
      classes: { map: new Map(map), leaveOut: new Set(leaveOut) },
    });
    assert.deepEqual(await classesAfter(rules([['antenna', 'mirror']])), [1, 3]);
    assert.deepEqual(await classesAfter(rules([], ['Antenna'])), [1]);
    assert.deepEqual(await classesAfter(rules([['antenna', 'ignored']])), [1]);
    await assert.rejects(outcome([hood], rules([['antena', 'mirror']])), /has no category antena: it has/);
    await assert.rejects(outcome([hood], rules([['antenna', 'miror']])), /taxonomy three has no class miror/);

    async function classesAfter(more: object): Promise<number[] | undefined> {
      const { store } = await outcome([hood, antenna], more);
      return (await (await openPool(store, 'cars')).readIndex(1))[0]?.classes;
    }
  });

  it('takes class names as tools write them', async () => {
    await save(folder, 'images/1.jpg', await picture(1));
    const categories = [{ id: 2, name: ' HOOD ' }];
    const annotations = [{ ...hood, image_id: 1 }];
    const file = { images: [imageEntry(1)], categories, annotations };
    const path = await save(folder, 'case.json', JSON.stringify(file));
    const options = { place: join(folder, 'images'), annotations: path, taxonomy: TAXONOMY, followLinks: false };
    assert.equal((await runImport(memoryStore(), readCoco(options))).added, 1);
  });

  it('takes split, tags and vehicle from the fields of an image', async () => {
    const { store } = await outcome(
      [hood],
      {},
      {
        ...imageEntry(1),
        split: 'valid',
        vehicle_id: 17,
        angle: '45',
        attributes: { black: true, occluded: false, reflection: 'no' },
        source: 'https://example.org',
      },
    );
    const [row] = await (await openPool(store, 'cars')).readIndex(1);
    assert.deepEqual(
      [row?.split, row?.vehicleId, row?.angle, row?.black, row?.reflection, row?.source],
      ['val', '17', 45, true, false, 'in-house'],
    );
    const emptied = await outcome(
      [hood],
      {},
      { ...imageEntry(1), vehicle_id: 'v4', attributes: { vehicle_id: '', black: 1 } },
    );
    const [other] = await (await openPool(emptied.store, 'cars')).readIndex(1);
    assert.deepEqual([other?.vehicleId, other?.black], ['v4', true]);
    const hidden = await outcome([hood], {}, { ...imageEntry(1), attributes: { split: 'Test Set' } });
    assert.match(hidden.refused[0]?.reason ?? '', /its split is "Test Set"/);
    const { refused } = await outcome([hood], {}, { ...imageEntry(1), split: 'holdout' });
    assert.match(refused[0]?.reason ?? '', /its split is "holdout"/);
  });

  it('refuses an image entry without a size alone, and reads a file with a byte order mark', async () => {
    for (const id of [1, 2]) await save(folder, `images/${id}.jpg`, await picture(id));
    const images = [{ id: 1, file_name: '1.jpg' }, imageEntry(2)];
    const annotations = [1, 2].map((id) => ({ ...hood, image_id: id }));
    const text = `\uFEFF${JSON.stringify({ images, categories: CATEGORIES, annotations })}`;
    const path = await save(folder, 'bom.json', text);
    const options = { place: join(folder, 'images'), annotations: path, taxonomy: TAXONOMY, followLinks: false };
    const { added, refused } = await runImport(memoryStore(), readCoco(options));
    assert.equal(added, 1);
    assert.deepEqual(refused[0]?.fileName, '1.jpg');
    assert.match(refused[0]?.reason ?? '', /its entry is not valid: width/);
  });

  it('takes the whole test set of DSMLR Car Parts', async function () {
    const set = dsmlrTestSet();
    if (set === null) return this.skip();
    const store = memoryStore();
    const items = readCoco({
      place: join(set, 'JPEGImages'),
      annotations: join(set, 'annotations.json'),
      taxonomy: dsmlr18,
      followLinks: false,
    });
    const { added, refused } = await runImport(store, items, { taxonomy: dsmlr18, test: true });
    assert.equal(added + refused.length, 100);
    assert.ok(added >= 95, JSON.stringify(refused));
    const rows = await (await openPool(store, 'cars')).readIndex(1);
    assert.ok(rows.every(({ split }) => split === 'test'));
    assert.equal(new Set(rows.flatMap(({ classes }) => classes)).size, 18);
  });
});

const imageEntry = (id: number) => ({ id, file_name: `${id}.jpg`, width: WIDTH, height: HEIGHT });

/** Runs of 0 and 1 in turn, column by column, starting with 0. */
function runsOf(inside: (x: number, y: number) => boolean): number[] {
  const runs = [0];
  let current = false;
  for (let x = 0; x < WIDTH; x++) {
    for (let y = 0; y < HEIGHT; y++) {
      if (inside(x, y) !== current) {
        runs.push(0);
        current = !current;
      }
      runs.push((runs.pop() ?? 0) + 1);
    }
  }
  return runs;
}

/** COCO's text form, after `rleToString` of its reference implementation. */
function compressed(runs: readonly number[]): string {
  let text = '';
  for (const [index, run] of runs.entries()) {
    let rest = index > 2 ? run - (runs[index - 2] ?? 0) : run;
    for (let more = true; more; ) {
      const bits = rest & 31;
      rest >>= 5;
      more = (bits & 16) !== 0 ? rest !== -1 : rest !== 0;
      text += String.fromCharCode((more ? bits | 32 : bits) + 48);
    }
  }
  return text;
}

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { readCoco } from '../../../formats/coco/import.js';
import { openPool } from '../../../storage/pool/pool.js';
import { picture, runImport, save, TAXONOMY } from '../../support/pictures/pictures.js';
import { memoryStore } from '../../support/standIns/memoryStore.js';
import { box, CocoFolder, HEIGHT, hood, imageEntry, WIDTH } from './kit.js';

describe('an import of unusable COCO annotations', function () {
  this.timeout(120_000);
  const coco = CocoFolder.perTest();

  it('lists pictures with unusable annotations, and takes the rest', async () => {
    for (const id of [1, 2, 3, 4, 5, 6]) await save(coco.path, `images/${id}.jpg`, await picture(id));
    const path = await coco.annotationFile(
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
      readCoco({ place: join(coco.path, 'images'), annotations: path, taxonomy: TAXONOMY, followLinks: false }),
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

  it('says what is wrong with a useless file', async () => {
    const attempt = async (path: string): Promise<unknown> =>
      runImport(
        memoryStore(),
        readCoco({ place: coco.path, annotations: path, taxonomy: TAXONOMY, followLinks: false }),
      );
    await assert.rejects(attempt(join(coco.path, 'none.json')), /none\.json cannot be read/);
    await assert.rejects(
      attempt(await save(coco.path, 'text.json', 'text')),
      /text\.json is not JSON: line 1, column 1, at `text`/,
    );
    await assert.rejects(attempt(await save(coco.path, 'list.json', '[]')), /not a COCO annotation file/);
    const foreign = { images: [], annotations: [], categories: [{ id: 1, name: 'cat' }] };
    await assert.rejects(
      attempt(await save(coco.path, 'cats.json', JSON.stringify(foreign))),
      /no category of taxonomy three: it has cat/,
    );
  });

  it('refuses an annotation that paints nothing, by name, and does not turn its part into background', async () => {
    const bad: [object, RegExp][] = [
      [
        { id: 7, category_id: 3, segmentation: [], bbox: [1, 1, 4, 4] },
        /annotation 7 \(wheel\) has no mask: a box does not tell/,
      ],
      [{ id: 8, category_id: 3, bbox: [1, 1, 4, 4] }, /annotation 8 \(wheel\) has no mask: a box does not tell/],
      [{ id: 9, category_id: 3, segmentation: null }, /annotation 9 \(wheel\) has no mask: a box does not tell/],
      [{ id: 3, category_id: 3, segmentation: [box(0.1, 0.1, 0.9, 0.9)] }, /annotation 3 has coordinates from 0 to 1/],
      [{ id: 4, category_id: 3, segmentation: [box(30, 2, 40, 8)] }, /annotation 4 lies outside the picture/],
      [{ id: 5, category_id: 3, segmentation: [box(-9, -9, -2, -2)] }, /annotation 5 lies outside the picture/],
    ];
    for (const [annotation, reason] of bad) {
      const { added, refused } = await coco.outcome([hood, annotation]);
      assert.equal(added, 0);
      assert.match(refused[0]?.reason ?? '', reason);
    }
  });

  it('never takes an empty label for a picture that has annotations', async () => {
    await save(coco.path, 'images/1.jpg', await picture(1));
    const options = { place: join(coco.path, 'images'), taxonomy: TAXONOMY, followLinks: false };
    const store = memoryStore();
    const good = await coco.annotationFile([{ ...hood, image_id: 1 }]);
    await runImport(store, readCoco({ ...options, annotations: good }));
    const nothing = [
      { size: [HEIGHT, WIDTH], counts: [WIDTH * HEIGHT] },
      [[-0.001, 0.1, 0.9, 0.1, 1.001, 0.9]],
      [[3, 3, 3.1, 3, 3.1, 3.1]],
    ];
    for (const segmentation of nothing) {
      const path = await coco.annotationFile([{ image_id: 1, category_id: 2, segmentation }]);
      const { refused, replaced } = await runImport(store, readCoco({ ...options, annotations: path }));
      assert.deepEqual([refused.length, replaced], [1, 0], JSON.stringify(segmentation));
    }
    assert.deepEqual((await (await openPool(store, 'cars')).readIndex(1))[0]?.classes, [1]);
  });

  it('refuses a picture without annotations unless the user says that it shows no part', async () => {
    const { added, refused } = await coco.outcome([]);
    assert.equal(added, 0);
    assert.match(refused[0]?.reason ?? '', /it has no annotations: --empty background/);
    const taken = await coco.outcome([], { empty: 'background' });
    assert.deepEqual([taken.added, taken.unlabelled], [1, ['1.jpg']]);
  });

  it('counts and names annotations of pictures that the file does not list', async () => {
    const { added, notices } = await coco.outcome([
      hood,
      { ...hood, id: 5, image_id: 99 },
      { ...hood, image_id: null },
    ]);
    assert.equal(added, 1);
    assert.deepEqual(
      notices.map(({ count, examples }) => [count, examples]),
      [[2, ['annotation 5', 'annotation number 2']]],
    );
  });

  it('refuses a file that gives two categories the same id', async () => {
    await save(coco.path, 'images/1.jpg', await picture(1));
    const categories = [
      { id: 1, name: 'hood' },
      { id: 1, name: 'wheel' },
    ];
    const annotations = [{ ...hood, image_id: 1, category_id: 1 }];
    const path = await save(
      coco.path,
      'twice.json',
      JSON.stringify({ images: [imageEntry(1)], categories, annotations }),
    );
    const entries = readCoco({ place: coco.path, annotations: path, taxonomy: TAXONOMY, followLinks: false });
    await assert.rejects(runImport(memoryStore(), entries), /gives id 1 to two categories: hood and wheel/);
  });
});

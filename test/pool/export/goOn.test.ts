import assert from 'node:assert/strict';
import { appendFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PartloopError } from '../../../domain/base/errors.js';
import { createCocoDatasetWriter } from '../../../formats/coco/dataset.js';
import type { DatasetFormat, MakeDatasetWriter } from '../../../formats/dataset.js';
import { createHfDatasetWriter } from '../../../formats/hf/dataset.js';
import { keys } from '../../../storage/keys.js';
import type { ObjectStore } from '../../../storage/objects/objectStore.js';
import { runImport } from '../../support/pictures/pictures.js';
import type { MemoryStore } from '../../support/standIns/memoryStore.js';
import { exportCars, folderPerTest, holed, item, poolOf } from './kit.js';

const IMAGES = 30;
const JOURNAL = 'export.partial.jsonl';
const WRITERS: Readonly<Record<DatasetFormat, MakeDatasetWriter>> = {
  coco: createCocoDatasetWriter,
  // A few images a file.
  hf: (out, facts) => createHfDatasetWriter(out, facts, 3_000),
};

const carPool = () =>
  poolOf(Array.from({ length: IMAGES }, (_, seed) => item(seed, holed, { split: seed % 3 === 0 ? 'val' : 'train' })));
const isPicture = (key: string): boolean => key.startsWith(keys.image('cars', ''));

/** The store until it has been asked for so many pictures; then it does not answer any more. */
function failingAfter(store: MemoryStore, pictures: number): ObjectStore {
  let asked = 0;
  return {
    ...store,
    async get(key, ifMatch) {
      if (isPicture(key) && ++asked > pictures) throw new PartloopError('store-unavailable', 'the store is away');
      return store.get(key, ifMatch);
    },
  };
}

describe('an export of a pool that is interrupted', () => {
  const folder = folderPerTest();

  for (const format of ['coco', 'hf'] as const) {
    it(`goes on where it was, and ends as one that was not: ${format}`, async () => {
      const store = await carPool();
      const [broken, whole] = [join(folder.path, 'broken'), join(folder.path, 'whole')];
      const expected = await exportCars(store, whole, WRITERS[format], { format });
      await assert.rejects(exportCars(failingAfter(store, 20), broken, WRITERS[format], { format }), /is away/);
      assert.ok((await readdir(broken)).includes(JOURNAL));
      assert.ok(!(await readdir(broken)).includes('partloop-export.json'));
      // As a crash leaves it.
      await appendFile(join(broken, JOURNAL), '{"piece":{"split":"tr');
      store.read.length = 0;
      const report = await exportCars(store, broken, WRITERS[format], { format });
      assert.deepEqual({ ...report, folder: whole }, expected);
      const again = store.read.filter(isPicture).length;
      assert.ok(again < IMAGES - 10, `${again} pictures were read again`);
      const files = async (path: string) => (await readdir(path, { recursive: true })).sort();
      assert.deepEqual(await files(broken), await files(whole));
      assert.ok(!(await readdir(broken)).includes(JOURNAL));
    });
  }

  it('goes on twice', async () => {
    const store = await carPool();
    const [broken, whole] = [join(folder.path, 'broken'), join(folder.path, 'whole')];
    const expected = await exportCars(store, whole, WRITERS.hf, { format: 'hf' });
    for (const pictures of [12, 12])
      await assert.rejects(exportCars(failingAfter(store, pictures), broken, WRITERS.hf, { format: 'hf' }), /is away/);
    assert.deepEqual((await exportCars(store, broken, WRITERS.hf, { format: 'hf' })).files, expected.files);
  });

  it('is refused if the pool has changed since, or something else is asked for', async () => {
    const store = await carPool();
    const run = (changes = {}) => exportCars(store, folder.path, WRITERS.coco, changes);
    await assert.rejects(exportCars(failingAfter(store, 5), folder.path, WRITERS.coco), /is away/);
    await assert.rejects(run({ split: 'val' }), /cannot go on: its split was any, not val/);
    await assert.rejects(run({ images: 'link' }), /cannot go on: its images was copy, not link/);
    await runImport(store, [item(99, holed)]);
    await assert.rejects(run(), /cannot go on: pool cars was at version 1, and is at 2 now/);
  });
});

describe('the folder of an export', () => {
  const folder = folderPerTest();

  it('is refused if it holds other things or an export that is complete, and nothing in it changes', async () => {
    const store = await poolOf([item(1, holed)]);
    const other = join(folder.path, 'other');
    await mkdir(other);
    await writeFile(join(other, 'notes.txt'), 'mine');
    await assert.rejects(exportCars(store, other, WRITERS.coco), /other is not empty/);
    assert.deepEqual(await readdir(other), ['notes.txt']);
    const done = join(folder.path, 'done');
    await exportCars(store, done, WRITERS.coco);
    const before = await readFile(join(done, 'partloop-export.json'), 'utf8');
    await assert.rejects(exportCars(store, done, WRITERS.coco), /done holds an export that is complete/);
    assert.equal(await readFile(join(done, 'partloop-export.json'), 'utf8'), before);
  });

  it('is not made for a pool or a split without images', async () => {
    const store = await poolOf([item(1, holed)]);
    const out = join(folder.path, 'out');
    await assert.rejects(exportCars(store, out, WRITERS.hf, { split: 'test' }), /has no images of split test/);
    await assert.rejects(exportCars(store, out, WRITERS.hf, { pool: 'vans' }), /there is no pool `vans`/);
    assert.deepEqual(await readdir(folder.path), []);
  });
});

describe('an export of a pool with a bad image', () => {
  const folder = folderPerTest();

  it('leaves it out, names it with the reason, and goes on without it', async () => {
    for (const format of ['coco', 'hf'] as const) {
      const store = await carPool();
      const [gone, changed] = store.keys.filter(isPicture);
      await store.delete([gone ?? '']);
      await store.put(changed ?? '', 'another picture');
      const report = await exportCars(store, join(folder.path, format), WRITERS[format], { format });
      assert.equal(report.images, IMAGES - 2);
      assert.equal(
        report.files.reduce((sum, { images }) => sum + images, 0),
        IMAGES - 2,
      );
      assert.match(
        report.leftOut
          .map(({ reason }) => reason)
          .sort()
          .join('\n'),
        /changed since.*\n.*there is no object/s,
      );
    }
  });
});

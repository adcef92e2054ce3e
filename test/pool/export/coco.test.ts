import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { z } from 'zod';
import { createCocoDatasetWriter } from '../../../formats/coco/dataset.js';
import { readCoco } from '../../../formats/coco/import.js';
import { compressRuns, segmentationShape } from '../../../formats/coco/segmentation.js';
import type { PoolExportReport } from '../../../pool/export/exportPool.js';
import type { ObjectStore } from '../../../storage/objects/objectStore.js';
import { readLabel } from '../../../storage/pictures/imageSource.js';
import { decodeLabel } from '../../../storage/pictures/labelMask.js';
import { openPool } from '../../../storage/pool/pool.js';
import { picture, runImport, TAXONOMY } from '../../support/pictures/pictures.js';
import { askPeer, needsPeers } from '../../support/servers/peers.js';
import { memoryStore } from '../../support/standIns/memoryStore.js';
import {
  exportCars,
  folderPerTest,
  HEIGHT,
  holed,
  item,
  labels,
  poolOf,
  raster,
  sha256,
  turnedPicture,
  WIDTH,
} from './kit.js';

const fileSchema = z.object({
  categories: z.array(z.object({ id: z.number(), name: z.string() })),
  images: z.array(z.looseObject({ file_name: z.string(), coco_url: z.string() })),
  annotations: z.array(z.looseObject({ category_id: z.number(), iscrowd: z.number() })),
});
const readAnnotations = async (folder: string, file: string) =>
  fileSchema.parse(JSON.parse(await readFile(join(folder, file), 'utf8')));

/** Digest of the label values and the facts of each image of pool `cars`, by name. */
async function contentOf(store: ObjectStore) {
  const pool = await openPool(store, 'cars');
  const rows = await pool.readIndex(await pool.latestVersion());
  const content = rows.map(async (row) => {
    const { pixels } = await decodeLabel(await readLabel(store, row));
    const { imageId, split, vehicleId, angle, black, source } = row;
    return [row.fileName, { label: sha256(pixels), imageId, split, vehicleId, angle, black, source }] as const;
  });
  return Object.fromEntries(await Promise.all(content));
}

/** The exported files, imported anew. */
async function importedAgain(folder: string, { files }: PoolExportReport): Promise<ObjectStore> {
  const store = memoryStore();
  for (const { file } of files) {
    const place = { place: join(folder, 'images'), followLinks: false };
    const annotations = join(folder, file);
    const { refused } = await runImport(
      store,
      readCoco({ ...place, annotations, taxonomy: TAXONOMY, empty: 'background' }),
    );
    assert.deepEqual(refused, []);
  }
  return store;
}

describe('an export of a pool as COCO', () => {
  needsPeers('readers');
  const folder = folderPerTest();

  it('comes back through `import coco` with the same pictures, labels, splits and tags', async () => {
    const store = await poolOf([
      item(1, holed, { vehicleId: 'v1', tags: { angle: 45, black: true } }),
      item(
        2,
        raster(() => 0),
        { split: 'val', source: 'client' },
      ),
      item(
        3,
        raster((x) => (x < 5 ? 3 : 255)),
        { split: 'test', tags: { black: false } },
      ),
    ]);
    const report = await exportCars(store, folder.path, createCocoDatasetWriter);
    assert.deepEqual(
      report.files.map(({ file, images }) => [file, images]),
      ['train', 'val', 'test'].map((split) => [`annotations/instances_${split}.json`, 1]),
    );
    assert.deepEqual([report.images, report.unlabelled, report.turned, report.leftOut], [3, 1, 0, []]);
    assert.deepEqual(await contentOf(await importedAgain(folder.path, report)), await contentOf(store));
  });

  it('says each pixel of any label, to `import coco` and to pycocotools', async () => {
    const all = fc.sample(labels, { numRuns: 12, seed: 7 });
    const store = await poolOf(all.map((pixels, index) => item(index, pixels)));
    const report = await exportCars(store, folder.path, createCocoDatasetWriter);
    const content = await contentOf(store);
    assert.deepEqual(await contentOf(await importedAgain(folder.path, report)), content);
    const answer = z
      .object({ labels: z.record(z.string(), z.string()), categories: z.array(z.string()) })
      .parse(await askPeer('readers', 'read_coco.py', [join(folder.path, 'annotations', 'instances_train.json')]));
    assert.deepEqual(answer.categories, ['hood', 'wheel', 'mirror', '_ignored_']);
    assert.deepEqual(
      answer.labels,
      Object.fromEntries(Object.values(content).map(({ imageId, label }) => [imageId, label])),
    );
  });

  it('has ignored pixels as a crowd of a category of their own, in all files if any image has such pixels', async () => {
    const items = [
      item(
        1,
        raster(() => 1),
      ),
      item(2, holed, { split: 'val' }),
    ];
    await exportCars(await poolOf(items), folder.path, createCocoDatasetWriter);
    for (const split of ['train', 'val']) {
      const { categories, annotations } = await readAnnotations(folder.path, `annotations/instances_${split}.json`);
      assert.deepEqual(categories.at(-1)?.name, '_ignored_');
      const crowds = annotations.filter(({ iscrowd }) => iscrowd === 1).map(({ category_id }) => category_id);
      assert.deepEqual(crowds, split === 'train' ? [] : [255]);
    }
    await exportCars(await poolOf(items.slice(0, 1)), join(folder.path, 'plain'), createCocoDatasetWriter);
    const { categories } = await readAnnotations(folder.path, 'plain/annotations/instances_train.json');
    assert.deepEqual(
      categories.map(({ name }) => name),
      ['hood', 'wheel', 'mirror'],
    );
  });

  it('copies pictures byte for byte, but those that EXIF turns upright', async () => {
    const turned = await turnedPicture('jpeg');
    const corner = raster((x, y) => (x < WIDTH / 2 && y < HEIGHT / 2 ? 1 : 0));
    const store = await poolOf([
      item(1, holed),
      { ...item(2, corner), image: { kind: 'bytes', read: async () => turned } },
      { ...item(3, corner), fileName: 'side.webp', image: { kind: 'bytes', read: () => turnedPicture('png') } },
    ]);
    const report = await exportCars(store, folder.path, createCocoDatasetWriter);
    assert.equal(report.turned, 2);
    assert.deepEqual(await readFile(join(folder.path, 'images/front/1.jpg')), await picture(1));
    assert.deepEqual((await readdir(join(folder.path, 'images'))).sort(), ['front', 'side.webp.png']);
    const again = await contentOf(await importedAgain(folder.path, report));
    const before = await contentOf(store);
    assert.deepEqual(again['front/2.jpg']?.label, before['front/2.jpg']?.label);
    assert.notEqual(again['front/2.jpg']?.imageId, before['front/2.jpg']?.imageId);
  });

  it('leaves pictures in the store on request, and names where they are', async () => {
    const store = await poolOf([item(1, holed)]);
    await exportCars(store, folder.path, createCocoDatasetWriter, { images: 'link' });
    const { images } = await readAnnotations(folder.path, 'annotations/instances_train.json');
    assert.deepEqual(
      images.map(({ file_name, coco_url }) => [file_name, coco_url]),
      [['front/1.jpg', `s3://memory/store/pools/cars/images/${sha256(await picture(1))}`]],
    );
    assert.deepEqual((await readdir(folder.path)).sort(), ['annotations', 'partloop-export.json', 'taxonomy.json']);
  });

  it('begins another file before one grows too large, and the files come back together', async () => {
    const store = await poolOf([1, 2, 3, 4, 5].map((seed) => item(seed, holed)));
    const report = await exportCars(store, folder.path, (out, facts) => createCocoDatasetWriter(out, facts, 1_500));
    assert.ok(report.files.length > 1, `${report.files.length} files`);
    assert.equal(report.files[1]?.file, 'annotations/instances_train-2.json');
    assert.deepEqual(await contentOf(await importedAgain(folder.path, report)), await contentOf(store));
  });
});

describe('compressed run lengths', () => {
  it('are read back as the runs that they were written from', () => {
    const runLists = fc.array(fc.nat({ max: 5_000_000 }), { maxLength: 40 }).map((runs) => [...runs, 1]);
    fc.assert(
      fc.property(runLists, (runs) => {
        const width = runs.reduce((sum, run) => sum + run, 0);
        const shapeOf = (counts: string | number[]) => {
          const { area, size } = segmentationShape({ size: [1, width], counts }, 1, { width, height: 1 });
          return { area, size };
        };
        assert.deepEqual(shapeOf(compressRuns(runs)), shapeOf(runs));
      }),
    );
  });
});

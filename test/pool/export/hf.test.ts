import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { createHfDatasetWriter } from '../../../formats/hf/dataset.js';
import type { ObjectStore } from '../../../storage/objects/objectStore.js';
import { readLabel } from '../../../storage/pictures/imageSource.js';
import { decodeLabel } from '../../../storage/pictures/labelMask.js';
import { openPool } from '../../../storage/pool/pool.js';
import { askPeer, needsPeers } from '../../support/servers/peers.js';
import { exportCars, folderPerTest, HEIGHT, holed, item, poolOf, raster, sha256, turnedPicture, WIDTH } from './kit.js';

const size = z.tuple([z.number(), z.number()]);
const answerSchema = z.object({
  features: z.record(z.string(), z.string()),
  isClassLabel: z.boolean(),
  rows: z.record(
    z.string(),
    z.object({
      split: z.string(),
      size,
      plainSize: size,
      picture: z.string(),
      path: z.string(),
      corner: z.array(z.number()),
      mode: z.string(),
      labelSize: size,
      label: z.string(),
      classes: z.array(z.string()),
      vehicle_id: z.string().nullable(),
      angle: z.number().nullable(),
      black: z.boolean().nullable(),
      file_name: z.string(),
      source: z.string(),
    }),
  ),
  records: z.record(z.string(), z.object({ split: z.string(), label: z.string(), size })),
  errors: z.array(z.string()),
  warnings: z.array(z.string()),
});

const read = async (folder: string, cache: string) =>
  answerSchema.parse(await askPeer('readers', 'read_hf.py', [folder, cache]));

async function labelsOf(store: ObjectStore): Promise<Record<string, string>> {
  const pool = await openPool(store, 'cars');
  const rows = await pool.readIndex(await pool.latestVersion());
  const labels = rows.map(
    async (row) => [row.imageId, sha256((await decodeLabel(await readLabel(store, row))).pixels)] as const,
  );
  return Object.fromEntries(await Promise.all(labels));
}

describe('an export of a pool for Hugging Face', () => {
  needsPeers('readers');
  const folder = folderPerTest();

  it('is read by datasets and by mlcroissant with the same pictures, labels, splits, classes and tags', async () => {
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
        { split: 'test' },
      ),
      item(
        4,
        raster(() => 2),
      ),
    ]);
    const out = join(folder.path, 'out');
    const report = await exportCars(store, out, (to, facts) => createHfDatasetWriter(to, facts, 100), {
      format: 'hf',
    });
    assert.deepEqual(
      report.files.map(({ file }) => file),
      ['train-00000', 'train-00001', 'validation-00000', 'test-00000'].map((name) => `data/${name}.parquet`),
    );
    const { features, isClassLabel, rows, records, errors, warnings } = await read(out, join(folder.path, 'cache'));
    assert.deepEqual(
      [features.image, features.label, features.image_id, isClassLabel],
      ['Image', 'Image', 'Value', true],
    );
    const labels = await labelsOf(store);
    const byId = <T>(values: Record<string, T>, value: (one: T) => unknown) =>
      Object.fromEntries(Object.entries(values).map(([id, one]) => [id, value(one)]));
    assert.deepEqual(
      byId(rows, ({ label }) => label),
      labels,
    );
    assert.deepEqual(
      byId(records, ({ label }) => label),
      labels,
    );
    assert.deepEqual(
      byId(records, ({ split }) => split),
      byId(rows, ({ split }) => split),
    );
    for (const [id, row] of Object.entries(rows)) {
      assert.equal(row.picture, id);
      assert.deepEqual([row.size, row.labelSize, row.mode], [[WIDTH, HEIGHT], [WIDTH, HEIGHT], 'L']);
    }
    const named = Object.fromEntries(Object.values(rows).map((row) => [row.file_name, row]));
    const first = named['front/1.jpg'];
    assert.deepEqual(
      [first?.split, first?.vehicle_id, first?.angle, first?.black, first?.classes, first?.path],
      ['train', 'v1', 45, true, ['hood', 'wheel', 'mirror'], 'front/1.jpg'],
    );
    const second = named['front/2.jpg'];
    assert.deepEqual(
      [second?.split, second?.vehicle_id, second?.angle, second?.black, second?.classes, second?.source],
      ['validation', null, null, null, [], 'client'],
    );
    assert.equal(named['front/3.jpg']?.split, 'test');
    assert.deepEqual(errors, []);
    // Whoever publishes it says under which licence, and how to cite it.
    assert.deepEqual(
      warnings.filter((warning) => !/license|citeAs|citation/i.test(warning)),
      [],
    );
  });

  it('has pictures that every reader sees upright, as their masks are', async () => {
    const corner = raster((x, y) => (x < WIDTH / 2 && y < HEIGHT / 2 ? 1 : 0));
    const store = await poolOf(
      (['jpeg', 'png'] as const).map((kind, index) => ({
        ...item(index, corner),
        image: { kind: 'bytes', read: () => turnedPicture(kind) },
      })),
    );
    const out = join(folder.path, 'out');
    const report = await exportCars(store, out, createHfDatasetWriter, { format: 'hf' });
    assert.equal(report.turned, 2);
    const { rows } = await read(out, join(folder.path, 'cache'));
    assert.equal(Object.keys(rows).length, 2);
    for (const { size: shown, plainSize, corner: colour, labelSize } of Object.values(rows)) {
      assert.deepEqual(
        [shown, plainSize, labelSize],
        Array.from({ length: 3 }, () => [WIDTH, HEIGHT]),
      );
      assert.ok((colour[0] ?? 0) > 200 && (colour[2] ?? 255) < 60, `the corner is ${colour.join()}`);
    }
  });

  it('says in its card which files are which split', async () => {
    const store = await poolOf([item(1, holed), item(2, holed, { split: 'val' })]);
    await exportCars(store, folder.path, createHfDatasetWriter, { format: 'hf' });
    const card = await readFile(join(folder.path, 'README.md'), 'utf8');
    for (const line of ['- image-segmentation', 'path: data/validation-*.parquet', '| train | 1 |', '| 1 | hood |'])
      assert.ok(card.includes(line), line);
    assert.ok(!card.includes('data/test-*'), 'a split without images');
  });
});

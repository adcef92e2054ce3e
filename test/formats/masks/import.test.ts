import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { PartloopError } from '../../../domain/base/errors.js';
import { parseTaxonomy } from '../../../domain/taxonomy.js';
import { readMaskManifest } from '../../../formats/masks/import.js';
import { keys } from '../../../storage/keys.js';
import type { ObjectStore } from '../../../storage/objects/objectStore.js';
import { readImage, readLabel } from '../../../storage/pictures/imageSource.js';
import { decodeLabel, encodeLabel } from '../../../storage/pictures/labelMask.js';
import { openPool } from '../../../storage/pool/pool.js';
import { mask, picture, runImport, save, TAXONOMY } from '../../support/pictures/pictures.js';
import { startTestStore, type TestStore } from '../../support/servers/s3.js';
import { memoryStore } from '../../support/standIns/memoryStore.js';

const indexOf = async (store: ObjectStore) => {
  const pool = await openPool(store, 'cars');
  return pool.readIndex(await pool.latestVersion());
};

describe('an import of index masks', function () {
  this.timeout(60_000);
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pl-'));
  });

  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** A manifest over files made with `picture` and `mask`; a line may name files that the test saves itself. */
  const manifest = async (lines: readonly Record<string, unknown>[]): Promise<string> =>
    save(folder, 'manifest.jsonl', `${lines.map((line) => JSON.stringify(line)).join('\n')}\n`);

  const pair = async (seed: number, more: Record<string, unknown> = {}): Promise<Record<string, unknown>> => {
    await save(folder, `images/${seed}.jpg`, await picture(seed));
    await save(folder, `labels/${seed}.png`, await mask((seed % 3) + 1));
    return { image: `images/${seed}.jpg`, label: `labels/${seed}.png`, ...more };
  };

  it('brings pictures, labels, tags and vehicles into the pool', async () => {
    const store = memoryStore();
    const tagged = await pair(1, { tags: { angle: 45, black: true }, vehicleId: 'v1', source: 'client', split: 'val' });
    const report = await runImport(store, readMaskManifest({ manifest: await manifest([tagged, await pair(2)]) }));
    assert.deepEqual([report.version, report.added, report.known, report.refused], [1, 2, 0, []]);
    const row = (await indexOf(store)).find(({ fileName }) => fileName === 'images/1.jpg');
    assert.ok(row);
    assert.deepEqual(
      [row.angle, row.black, row.zoomed, row.vehicleId, row.source, row.split, row.classes, row.width, row.height],
      [45, true, null, 'v1', 'client', 'val', [2], 24, 16],
    );
    assert.deepEqual(JSON.parse(row.tagOrigins), { angle: 'given', black: 'given' });
    assert.deepEqual(await readImage(store, row), await picture(1));
    assert.ok((await decodeLabel(await readLabel(store, row))).pixels.every((value) => value === 2));
  });

  it('adds nothing when repeated', async () => {
    const store = memoryStore();
    const path = await manifest([await pair(1), await pair(2)]);
    await runImport(store, readMaskManifest({ manifest: path }));
    const before = store.keys;
    const report = await runImport(store, readMaskManifest({ manifest: path }));
    assert.deepEqual([report.version, report.added, report.known, report.refused], [1, 0, 2, []]);
    assert.deepEqual(store.keys, before);
  });

  it('adds nothing twice if two run at the same time', async () => {
    const store = memoryStore();
    const path = await manifest([await pair(1), await pair(2)]);
    await Promise.all([
      runImport(store, readMaskManifest({ manifest: path })),
      runImport(store, readMaskManifest({ manifest: path })),
    ]);
    assert.equal(await (await openPool(store, 'cars')).latestVersion(), 1);
    assert.equal((await indexOf(store)).length, 2);
  });

  it('makes a changed label a new revision, on the same side of the split unless told otherwise', async () => {
    const store = memoryStore();
    const line = await pair(1, { split: 'val' });
    await runImport(store, readMaskManifest({ manifest: await manifest([line]) }));
    await save(folder, 'labels/1.png', await mask(3));
    const report = await runImport(
      store,
      readMaskManifest({ manifest: await manifest([{ ...line, split: undefined }]) }),
    );
    assert.deepEqual([report.version, report.added, report.replaced], [2, 0, 1]);
    const [row] = await indexOf(store);
    assert.deepEqual([row?.labelRevision, row?.classes, row?.split], [1, [3], 'val']);
    await runImport(store, readMaskManifest({ manifest: await manifest([{ ...line, split: 'train' }]) }));
    assert.equal((await indexOf(store))[0]?.split, 'train');
  });

  it('lists every bad file with its reason and takes the rest', async () => {
    const store = memoryStore();
    const good = await pair(1);
    const photo = await picture(5);
    await save(folder, 'note.jpg', 'not a picture');
    await save(folder, 'cut.jpg', photo.subarray(0, photo.length / 2));
    await save(folder, 'drawing.svg', '<svg xmlns="http://www.w3.org/2000/svg" width="24" height="16"></svg>');
    await save(folder, 'colour.png', await sharp(photo).png().toBuffer());
    await save(folder, 'small.png', await mask(1, 12, 8));
    await save(folder, 'unknown.png', await mask(4));
    await save(folder, 'ignored.png', await mask(255));
    await save(folder, 'copy.jpg', await picture(1));
    for (const seed of [6, 7, 8, 9]) await save(folder, `${seed}.jpg`, await picture(seed));
    const lines = [
      good,
      { image: 'note.jpg', label: 'labels/1.png' },
      { image: 'cut.jpg', label: 'labels/1.png' },
      { image: 'drawing.svg', label: 'labels/1.png' },
      { image: 'gone.jpg', label: 'labels/1.png' },
      { image: '../../etc/passwd', label: 'labels/1.png' },
      { image: '6.jpg', label: 'colour.png' },
      { image: '7.jpg', label: 'small.png' },
      { image: '8.jpg', label: 'unknown.png' },
      { image: '9.jpg', label: 'ignored.png' },
      { image: 'copy.jpg', label: 'labels/1.png' },
    ];
    const { added, refused } = await runImport(store, readMaskManifest({ manifest: await manifest(lines) }));
    assert.equal(added, 1);
    const expected: [string, RegExp][] = [
      ['note.jpg', /not a readable picture/],
      ['cut.jpg', /not a readable picture/],
      ['drawing.svg', /not a photograph/],
      ['gone.jpg', /does not exist/],
      ['../../etc/passwd', /does not exist|lies outside/],
      ['6.jpg', /colour PNG/],
      ['7.jpg', /its label is 12×8, the upright picture 24×16/],
      ['8.jpg', /its label has value 4; taxonomy three ends at 3/],
      ['9.jpg', /ignored everywhere/],
      ['copy.jpg', /duplicate of images\/1\.jpg/],
    ];
    assert.deepEqual(
      refused.map(({ fileName }) => fileName),
      expected.map(([name]) => name),
    );
    for (const [index, [name, reason]] of expected.entries()) assert.match(refused[index]?.reason ?? '', reason, name);
  });

  it('keeps a picture out of the test set if the pool trains on it', async () => {
    const store = memoryStore();
    const path = await manifest([await pair(1)]);
    await runImport(store, readMaskManifest({ manifest: path }));
    const { added, known, refused } = await runImport(store, readMaskManifest({ manifest: path }), { test: true });
    assert.deepEqual([added, known], [0, 0]);
    assert.match(refused[0]?.reason ?? '', /the same picture is in the pool's (train|val) split/);
  });

  it('measures a picture upright, as its EXIF orientation says', async () => {
    const store = memoryStore();
    const turned = await sharp(await picture(1))
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toBuffer();
    await save(folder, 'turned.jpg', turned);
    await save(folder, 'upright.png', await mask(1, 16, 24));
    await runImport(
      store,
      readMaskManifest({ manifest: await manifest([{ image: 'turned.jpg', label: 'upright.png' }]) }),
    );
    const [row] = await indexOf(store);
    assert.deepEqual([row?.width, row?.height], [16, 24]);
  });

  it('puts the pictures of one vehicle on one side of training and validation', async () => {
    const store = memoryStore();
    const lines = [];
    for (let seed = 0; seed < 40; seed++) lines.push(await pair(seed, { vehicleId: `v${seed % 20}` }));
    await runImport(store, readMaskManifest({ manifest: await manifest(lines) }));
    const sides = new Map<string, Set<string>>();
    for (const { vehicleId, split } of await indexOf(store)) {
      sides.set(vehicleId ?? '', (sides.get(vehicleId ?? '') ?? new Set()).add(split));
    }
    assert.ok([...sides.values()].every((splits) => splits.size === 1));
  });

  it('writes settings that fit the size of the pool', async () => {
    const store = memoryStore();
    await runImport(store, readMaskManifest({ manifest: await manifest([await pair(1, { split: 'train' })]) }));
    assert.ok(store.keys.includes(keys.poolDefaults('cars')));
  });

  it('refuses another taxonomy than that of the pool, with the differences', async () => {
    const store = memoryStore();
    const path = await manifest([await pair(1)]);
    await runImport(store, readMaskManifest({ manifest: path }));
    const other = parseTaxonomy(
      {
        name: 'other',
        classes: [
          { name: 'hood', group: 'major' },
          { name: 'roof', group: 'minor' },
        ],
      },
      'other',
    );
    await assert.rejects(
      runImport(store, readMaskManifest({ manifest: path }), { taxonomy: other }),
      (error) => error instanceof PartloopError && /only here roof; only there wheel, mirror/.test(error.message),
    );
  });

  it('refuses an invalid line alone, and says which and why', async () => {
    const store = memoryStore();
    const good = JSON.stringify(await pair(1));
    const lines = [
      good,
      '{"image": "a.jpg"}',
      '{"image": "b.jpg", NaN}',
      JSON.stringify({ ...(await pair(2)), tags: { angle: 20 } }),
      JSON.stringify({ ...(await pair(3)), tags: { blck: true } }),
      JSON.stringify({ ...(await pair(4)), vehicle: 'suv', colour: 'red' }),
      JSON.stringify({ ...(await pair(5)), split: 'holdout' }),
    ];
    const path = await save(folder, 'bad.jsonl', `\uFEFF${lines.join('\r\n')}\n`);
    const { added, refused } = await runImport(store, readMaskManifest({ manifest: path }));
    assert.equal(added, 1);
    const expected: [string, RegExp][] = [
      ['a.jpg', /line 2: label/],
      ['b.jpg', /line 3: it is not JSON/],
      ['images/2.jpg', /line 4: tag angle is 20; allowed: 0, 15, 30/],
      ['images/3.jpg', /line 5: there is no tag blck: tags are angle, vehicle/],
      ['images/4.jpg', /line 6: there is no field colour/],
      ['images/5.jpg', /line 7: its split is "holdout"; allowed: train, val or test/],
    ];
    assert.deepEqual(
      refused.map(({ fileName }) => fileName),
      expected.map(([name]) => name),
    );
    for (const [index, [name, reason]] of expected.entries()) assert.match(refused[index]?.reason ?? '', reason, name);
  });

  it('refuses masks whose values are no class numbers, and reads those declared as zero-based', async () => {
    const store = memoryStore();
    const half = async (inside: number, outside: number, share = 0.5): Promise<Buffer> =>
      encodeLabel(
        Uint8Array.from({ length: 24 * 16 }, (_, at) => (at < 24 * 16 * share ? inside : outside)),
        24,
        16,
      );
    const masks = [await half(255, 0), await half(1, 255, 0.3), await half(1, 255, 0.7)];
    const lines = [];
    for (const [index, bytes] of masks.entries()) {
      await save(folder, `${index}.png`, bytes);
      lines.push({ ...(await pair(index)), label: `${index}.png` });
    }
    const path = await manifest(lines);
    const { added, refused } = await runImport(store, readMaskManifest({ manifest: path }));
    assert.equal(added, 1);
    assert.match(refused[0]?.reason ?? '', /only the values 0 and 255/);
    assert.match(refused[1]?.reason ?? '', /70 % of its label is 255.*--mask-values zero-based/);

    const other = memoryStore();
    await runImport(other, readMaskManifest({ manifest: await manifest(lines.slice(1)), values: 'zero-based' }));
    for (const row of await indexOf(other)) {
      const { pixels } = await decodeLabel(await readLabel(other, row));
      assert.deepEqual([...new Set(pixels)].sort(), [0, 2]);
    }
  });

  it('says so if a manifest does not exist', async () => {
    const store = memoryStore();
    await assert.rejects(
      runImport(store, readMaskManifest({ manifest: join(folder, 'none.jsonl') })),
      /none\.jsonl cannot be read/,
    );
  });
});

describe('a picture registered in place', function () {
  this.timeout(60_000);
  let server: TestStore;
  let folder: string;

  before(async () => {
    server = await startTestStore();
    folder = await mkdtemp(join(tmpdir(), 'pl-'));
  });

  after(async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('is read from its place, and a later change is a named finding', async () => {
    const store = server.open('store');
    const photos = server.open('photos');
    const uri = 's3://partloop/photos/1.jpg';
    await photos.put('1.jpg', await picture(1));
    await save(folder, '1.png', await mask(1));
    const lines = [
      { image: uri, label: '1.png' },
      { image: 's3://partloop/photos/none.jpg', label: '1.png' },
    ];
    const path = await save(folder, 'manifest.jsonl', lines.map((line) => JSON.stringify(line)).join('\n'));
    const report = await runImport(store, readMaskManifest({ manifest: path }));
    assert.equal(report.added, 1);
    assert.match(report.refused[0]?.reason ?? '', /none\.jpg does not exist/);

    const [row] = await indexOf(store);
    assert.ok(row);
    assert.equal(row.imageUri, uri);
    assert.equal(await store.head(keys.image('cars', row.imageId)), null);
    assert.deepEqual(await readImage(store, row), await picture(1));

    await photos.put('1.jpg', await picture(2));
    await assert.rejects(
      readImage(store, row),
      (error) => error instanceof PartloopError && error.code === 'data-changed' && error.message.includes(uri),
    );
  });

  it('finds its class names in the imported taxonomy', async () => {
    assert.deepEqual((await openPool(server.open('store'), 'cars')).taxonomy, TAXONOMY);
  });
});

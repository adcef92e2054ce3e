import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { PartloopError } from '../../../domain/errors.js';
import {
  chunkRowSchema,
  evaluationRowSchema,
  findingRowSchema,
  type IndexRow,
  trainingRowSchema,
} from '../../../domain/tables.js';
import { NO_TAGS } from '../../../domain/tags.js';
import type { ImportItem } from '../../../formats/importItem.js';
import { importImages } from '../../../pool/import/importImages.js';
import { removeImages, restoreImages } from '../../../pool/remove/removeImages.js';
import { namesInReport } from '../../../pool/remove/reportNames.js';
import { keys } from '../../../storage/keys.js';
import { encodeLabel } from '../../../storage/labelMask.js';
import type { ObjectStore } from '../../../storage/objectStore.js';
import { openPool } from '../../../storage/pool.js';
import { writeTable } from '../../../storage/table.js';
import { memoryStore } from '../../support/memoryStore.js';
import { runImport, save, TAXONOMY } from '../../support/pictures.js';
import { startTestStore, type TestStore } from '../../support/s3.js';
import { clock, desk, draw, within } from '../review/desk.js';
import { HEIGHT, missingPart, scannedPool, WIDTH } from '../review/scannedPool.js';
import { imageIdOf, item, labelOf, NOW, named, namesOf, planOf, purgeImages, review, sha256 } from './kit.js';

const under = (store: { keys: string[] }, part: string): string[] => store.keys.filter((key) => key.includes(part));

describe('deleting images with their bytes', function () {
  this.timeout(120_000);

  it('deletes pictures, labels of every revision and copies of every size, and nothing that other images use', async () => {
    const store = memoryStore();
    await runImport(store, [item(1, 1), item(2, 1), item(3, 2)]);
    const [first, second, third] = await Promise.all([1, 2, 3].map(imageIdOf));
    assert.ok(first && second && third);
    await review(store, first, 3);
    await review(store, second, 2);
    for (const side of [80, 640]) {
      for (const id of [first, second, third]) await store.put(keys.derivativeImage('cars', side, id), 'x');
      for (const value of [1, 2, 3]) await store.put(keys.derivativeLabel('cars', side, await labelOf(value)), 'x');
    }
    await store.put(keys.image('cars-2', first), 'of another pool');
    await store.put(keys.label('cars-2', await labelOf(3)), 'of another pool');

    const purge = await purgeImages(store, named('front/1.jpg'));
    assert.deepEqual([purge.images, purge.labels, purge.sharedLabels, purge.derivatives], [1, 1, 1, 4]);
    assert.deepEqual([purge.failed, purge.elsewhere], [[], []]);
    assert.deepEqual(under(store, first), [keys.image('cars-2', first)]);
    // The second image had label 1 once, and its first revision can still be asked for.
    const labels = [keys.label('cars', await labelOf(1)), keys.label('cars', await labelOf(2))].sort();
    assert.deepEqual(under(store, 'pools/cars/labels/'), labels);
    assert.equal(under(store, 'derivatives/80/labels').length, 2);
    assert.equal(under(store, await labelOf(3)).length, 1);
    assert.deepEqual(await namesOf(await openPool(store, 'cars')), ['front/2.jpg', 'front/3.jpg']);
  });

  it('deletes the last label of its kind with the last image that had it', async () => {
    const store = memoryStore();
    await runImport(store, [item(1, 1), item(2, 1)]);
    await purgeImages(store, named('front/1.jpg'));
    assert.equal(under(store, 'pools/cars/labels/').length, 1);
    await purgeImages(store, named('front/2.jpg'));
    assert.deepEqual(under(store, 'pools/cars/labels/'), []);
    assert.deepEqual(under(store, 'pools/cars/images/'), []);
  });

  it('goes on where it was interrupted, by the same command, and then changes nothing more', async () => {
    const store = memoryStore();
    await runImport(store, [item(1, 1), item(2, 2)]);
    const id = await imageIdOf(1);
    const cars = await openPool(store, 'cars');
    await removeImages(cars, [id], { purge: true, now: NOW });
    // Nothing of the bytes is gone yet, but the image is out of the pool and cannot be taken back.
    const interrupted = await restoreImages(cars, [id], NOW);
    assert.deepEqual([interrupted.images, interrupted.purged.length], [0, 1]);
    const version = await cars.latestVersion();
    const plan = await planOf(store, named('front/1.jpg'), true);
    assert.deepEqual([plan.imageIds, plan.removedBefore, plan.purgedBefore], [[id], 1, 1]);
    await purgeImages(store, named('front/1.jpg'));
    assert.deepEqual(under(store, `images/${id}`), []);
    const keysBefore = store.keys;
    await purgeImages(store, named('front/1.jpg'));
    assert.deepEqual(store.keys, keysBefore);
    assert.equal(await cars.latestVersion(), version);
  });

  it('deletes what was removed before without its bytes', async () => {
    const store = memoryStore();
    await runImport(store, [item(1, 1), item(2, 2)]);
    const id = await imageIdOf(1);
    await removeImages(await openPool(store, 'cars'), [id], { purge: false, now: NOW });
    const { images } = await purgeImages(store, named('front/1.jpg'));
    assert.equal(images, 1);
    assert.deepEqual(under(store, `images/${id}`), []);
  });

  it('names what the store did not delete, and deletes the rest', async () => {
    const store = memoryStore();
    await runImport(store, [item(1, 1), item(2, 2)]);
    const stubborn = keys.image('cars', await imageIdOf(1));
    const faulty: ObjectStore = {
      ...store,
      tryDelete: async (targets) => {
        await store.tryDelete(targets.filter((key) => key !== stubborn));
        return targets.includes(stubborn) ? [{ key: stubborn, reason: 'AccessDenied' }] : [];
      },
    };
    const { failed, images } = await purgeImages(faulty, named('front/1.jpg', 'front/2.jpg'));
    assert.deepEqual([failed, images], [[{ key: stubborn, reason: 'AccessDenied' }], 1]);
    assert.deepEqual(under(store, 'pools/cars/images/'), [stubborn]);
    assert.deepEqual(under(store, 'pools/cars/labels/'), []);
  });

  it('lists pictures that lie elsewhere and leaves them to their owner', async () => {
    const store = memoryStore();
    await runImport(store, [item(1, 1)]);
    const imageUri = 's3://photos/1.jpg';
    const cars = await openPool(store, 'cars');
    await cars.append((history) =>
      history.images().map((row) => ({ ...row, labelRevision: 1, imageUri, imageEtag: 'e', change: 'facts' })),
    );
    const { elsewhere, images } = await purgeImages(store, named('front/1.jpg'));
    assert.deepEqual([elsewhere, images], [[imageUri], 1]);
  });

  it('keeps an import from storing the picture again, until it is asked to restore it with what it brings', async () => {
    const store = memoryStore();
    await runImport(store, [item(1, 1), item(2, 2)]);
    const id = await imageIdOf(1);
    await purgeImages(store, named('front/1.jpg'));
    const again = await runImport(store, [item(1, 1)]);
    assert.deepEqual(again.removed, ['front/1.jpg']);
    assert.deepEqual(under(store, `images/${id}`), []);
    assert.equal((await runImport(store, [item(1, 1)], { restore: true })).restored, 1);
    assert.deepEqual(under(store, `images/${id}`), [keys.image('cars', id)]);
    const row = (await (await openPool(store, 'cars')).history()).latest(id);
    assert.ok(row);
    assert.deepEqual([row.imageUri, row.removedAt], [keys.image('cars', id), null]);
    assert.ok(await store.head(row.labelUri));
  });

  it('restores a deleted picture where the import has it, not where it was', async () => {
    const store = memoryStore();
    await runImport(store, [item(1, 1), item(2, 2)]);
    const id = await imageIdOf(1);
    await purgeImages(store, named('front/1.jpg'));
    const { body } = await imageAt(store, 's3://photos/1.jpg');
    const registered: ImportItem = item(1, 1, { image: { kind: 'registered', uris: ['s3://photos/1.jpg'] } });
    assert.equal(body.length > 0, true);
    assert.equal((await runImport(store, [registered], { restore: true })).restored, 1);
    const row = (await (await openPool(store, 'cars')).history()).latest(id);
    assert.equal(row?.imageUri, 's3://photos/1.jpg');
  });

  it('takes no label from an import that goes on at the same moment', async () => {
    const store = memoryStore();
    await runImport(store, [item(1, 2), item(3, 1)]);
    const label = keys.label('cars', await labelOf(2));
    // The label of the second image is in the store when it is read, its row is in the pool only at the end.
    async function* entries() {
      yield item(2, 2);
      await new Promise((done) => setTimeout(done, 200));
      await purgeImages(store, named('front/1.jpg'));
      assert.equal(await store.head(label), null);
    }
    assert.equal((await runImport(store, entries())).added, 1);
    assert.notEqual(await store.head(label), null);
  });

  it('takes no label from a review that goes on at the same moment', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'pl-review-'));
    try {
      const memory = memoryStore();
      // The first image has the label that the second one is corrected to.
      const corrected = draw((x, y) => (x >= 20 ? 1 : within(x, y, 0, 0, 10, 10) ? 3 : 0));
      const encoded = await encodeLabel(corrected, WIDTH, HEIGHT);
      const fields = { labelSha256: sha256(encoded), labelUri: keys.label('cars', sha256(encoded)), labelRevision: 2 };
      let interrupt: (() => Promise<void>) | null = null;
      const store: ObjectStore = {
        ...memory,
        // The label is stored, its row is not in the pool yet.
        async putIfAbsent(key, body, type) {
          const outcome = await memory.putIfAbsent(key, body, type);
          const [now, isLabel] = [interrupt, key === fields.labelUri];
          if (isLabel && now !== null) {
            interrupt = null;
            await now();
          }
          return outcome;
        },
      };
      const cars = await scannedPool(2, { store });
      await memory.put(fields.labelUri, encoded);
      await cars.pool.append(() => [{ ...(cars.images[0] as IndexRow), ...fields, change: 'relabel' }]);
      const { returned, take } = await desk(store, folder, 'masks', clock());
      const path = await returned({ 2: corrected });
      interrupt = async () => {
        await purgeImages(memory, named('car-1.jpg'));
        assert.equal(await memory.head(fields.labelUri), null);
      };
      assert.equal((await take(path)).revised, 1);
      assert.equal(interrupt, null);
      assert.deepEqual((await cars.now(2)).label, corrected);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('deletes the pictures from the cache of this machine', async () => {
    const store = memoryStore();
    await runImport(store, [item(1, 1), item(2, 1)]);
    const folder = await mkdtemp(join(tmpdir(), 'pl-cache-'));
    try {
      for (const seed of [1, 2]) await save(folder, keys.derivativeImage('cars', 640, await imageIdOf(seed)), 'x');
      await save(folder, keys.derivativeLabel('cars', 640, await labelOf(1)), 'x');
      await save(folder, keys.derivativeImage('cars-2', 640, await imageIdOf(1)), 'x');
      const { cached } = await purgeImages(store, named('front/1.jpg'), folder);
      assert.equal(cached, 1);
      const there = (await readdir(folder, { recursive: true })).filter((name) => /[0-9a-f]{64}$/.test(name));
      assert.equal(there.length, 3);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

const step = (loop: string, name: string, file: string, iteration = 1): string =>
  keys.attempt(loop, iteration, name, 'd'.repeat(64), 'token', file);

/** What a loop over `pool` leaves of these images in its first iteration. */
async function loopOver(store: ObjectStore, loop: string, pool: string, imageIds: string[]): Promise<void> {
  const history = await (await openPool(store, 'cars')).history();
  const rows = imageIds.flatMap((imageId) => history.latest(imageId) ?? []);
  const chunk = rows.map((row) => ({ ...row, cluster: row.imageId }));
  const commit = { step: 'draw', inputs: { pool } };
  await store.put(keys.commit(loop, 1, 'draw', 'd'.repeat(64)), JSON.stringify(commit));
  await writeTable(store, step(loop, 'draw', 'chunk.parquet'), chunk, chunkRowSchema);
  await store.put(step(loop, 'draw', 'drawn.json'), JSON.stringify({ images: imageIds }));
  const findings = rows.map((row) => missingPart(row));
  await writeTable(store, step(loop, 'scan', 'findings.parquet'), findings, findingRowSchema);
  const shard = { version: 1, entries: imageIds.map((imageId) => ({ imageId })) };
  await store.put(step(loop, 'plan', 'shards/v1-x/0.json.gz'), gzipSync(JSON.stringify(shard)));
  const training = await Promise.all(
    chunk.map(async (row) => {
      // As ignored regions have it: another label for this iteration alone.
      const labelSha256 = row.imageId.split('').reverse().join('');
      const labelUri = step(loop, 'sample', `labels/${labelSha256}.png`);
      await store.put(labelUri, 'label');
      return { ...row, labelUri, labelSha256, pickedIn: 1 };
    }),
  );
  await writeTable(store, step(loop, 'sample', 'training-set.parquet'), training, trainingRowSchema);
  const list = { images: chunk.map(({ imageId, vehicleId, cluster }) => ({ imageId, vehicleId, cluster })) };
  await store.put(step(loop, 'train', 'training-list.json'), JSON.stringify(list));
  await store.put(step(loop, 'train', 'scan.onnx'), 'network');
  const figures = rows.map(({ fileName }) => `<figure><span>${fileName}</span></figure>`);
  await store.put(step(loop, 'report', 'index.html'), `<body>${figures.join('')}</body>`);
}

/** A picture where another bucket has it. */
async function imageAt(store: ObjectStore, uri: string): Promise<{ body: Uint8Array }> {
  const { image } = item(1, 1);
  const body = image.kind === 'bytes' ? await image.read() : Buffer.alloc(0);
  await store.put(uri, body);
  return { body };
}

describe('what images leave outside their pool', function () {
  this.timeout(120_000);

  it('is said of loops, scans, models in and out of production, and reports', async () => {
    const store = memoryStore();
    await runImport(store, [item(1, 1), item(2, 2), item(3, 3)]);
    const [first, second, third] = await Promise.all([1, 2, 3].map(imageIdOf));
    assert.ok(first && second && third);
    await loopOver(store, 'nightly', 'cars', [first, second]);
    await loopOver(store, 'weekly', 'cars', [third]);
    await loopOver(store, 'vans', 'vans', [first]);
    await store.put(keys.scan('weekly'), '{}');
    const model = { scan: step('nightly', 'train', 'scan.onnx'), card: step('nightly', 'train', 'model.json') };
    const registered = { ...model, digest: 'e'.repeat(64), loop: 'nightly', iteration: 1 };
    const history = [{ model: registered, at: '', reason: '' }];
    await store.put(keys.benchmark('x'), JSON.stringify({ version: 1, model: registered, history, looks: [] }));

    const { traces } = await planOf(store, named('front/1.jpg', 'front/2.jpg'));
    assert.deepEqual(traces.loops, [
      { loop: 'nightly', isScan: false, pool: 'cars', drawn: 2, inTraining: 2, findings: 2 },
    ]);
    const { list, ...rest } = { ...model, list: step('nightly', 'train', 'training-list.json') };
    assert.deepEqual(traces.models, [
      {
        model: rest.scan,
        card: rest.card,
        list,
        loop: 'nightly',
        iteration: 1,
        role: 'candidate',
        seen: 2,
        production: 'now',
      },
    ]);
    assert.deepEqual(traces.reports, [step('nightly', 'report', 'index.html')]);

    const scan = (await planOf(store, named('front/3.jpg'))).traces;
    assert.deepEqual(scan.loops[0], {
      loop: 'weekly',
      isScan: true,
      pool: 'cars',
      drawn: 1,
      inTraining: 1,
      findings: 1,
    });
    assert.deepEqual([scan.models[0]?.production, scan.models.length], [null, 1]);
  });

  it('is looked for in every object, and in other pools, where bytes are to be deleted', async () => {
    const store = memoryStore();
    await runImport(store, [item(1, 1), item(2, 2)]);
    const now = new Date();
    await importImages(store, 'vans', TAXONOMY, [item(1, 1)], { now, onProgress: () => undefined });
    const [first, second] = await Promise.all([1, 2].map(imageIdOf));
    assert.ok(first && second);
    await loopOver(store, 'nightly', 'cars', [first, second]);
    await loopOver(store, 'vans', 'vans', [first]);
    const scores = `${keys.evaluation('m', 't', 512, 1)}images.parquet`;
    const score = {
      ...NO_TAGS,
      imageId: first,
      fileName: 'x',
      vehicleId: null,
      confusion: [],
      boundary: [],
      imageMiou: 1,
    };
    await writeTable(store, scores, [score], evaluationRowSchema);
    await store.put(step('nightly', 'scan', 'images.parquet'), 'no table');
    const { traces } = await planOf(store, named('front/1.jpg'), true);
    assert.deepEqual(
      traces.loops.map(({ loop }) => loop),
      ['nightly', 'vans'],
    );
    assert.deepEqual(traces.otherPools, [{ pool: 'vans', images: 1 }]);
    assert.deepEqual(traces.unreadable, [step('nightly', 'scan', 'images.parquet')]);
    for (const file of [
      'draw/chunk.parquet',
      'draw/drawn.json',
      'plan/shards/v1-x/0.json.gz',
      'train/training-list.json',
    ]) {
      const [name = '', ...rest] = file.split('/');
      assert.ok(traces.tables.includes(step('nightly', name, rest.join('/'))), file);
    }
    assert.ok(traces.tables.includes(scores));
    assert.ok(traces.tables.some((key) => key.startsWith('pools/cars/segments/')));
    assert.equal((await planOf(store, named('front/2.jpg'), true)).traces.tables.includes(scores), false);
  });

  it('includes copies of labels that iterations made, which go with the bytes', async () => {
    const store = memoryStore();
    await runImport(store, [item(1, 1), item(2, 2)]);
    const [first, second] = await Promise.all([1, 2].map(imageIdOf));
    assert.ok(first && second);
    await loopOver(store, 'nightly', 'cars', [first, second]);
    await loopOver(store, 'vans', 'vans', [first]);
    const { labelCopies } = await purgeImages(store, named('front/1.jpg'));
    assert.equal(labelCopies, 1);
    const copyIn = (loop: string, id: string): string =>
      step(loop, 'sample', `labels/${id.split('').reverse().join('')}.png`);
    const left = under(store, '/sample/').filter((key) => key.endsWith('.png'));
    assert.deepEqual(left, [copyIn('nightly', second), copyIn('vans', first)]);
  });

  it('is named in reports as pages write names', () => {
    const html = '<td class="a">a &amp; b&#39;s &lt;1&gt;.jpg</td><img alt="c"/><span>d.jpg</span>';
    assert.deepEqual([...namesInReport(html)], ["a & b's <1>.jpg", 'd.jpg']);
  });
});

describe('deleting images from real S3', function () {
  this.timeout(180_000);
  let server: TestStore;
  before(async () => {
    server = await startTestStore();
  });
  after(() => server.stop());

  it('deletes more copies than one request may name, and those of these images alone', async () => {
    const store = server.open('purge');
    await runImport(store, [item(1, 1), item(2, 2)]);
    const [gone, stays] = await Promise.all([1, 2].map(imageIdOf));
    assert.ok(gone && stays);
    const sides = Array.from({ length: 1_050 }, (_, at) => at + 1);
    for (let from = 0; from < sides.length; from += 50)
      await Promise.all(
        sides.slice(from, from + 50).map((side) => store.put(keys.derivativeImage('cars', side, gone), 'x')),
      );
    await store.put(keys.derivativeImage('cars', 1, stays), 'x');
    const purge = await purgeImages(store, named('front/1.jpg'));
    assert.deepEqual([purge.derivatives, purge.images, purge.labels, purge.failed.length], [1_050, 1, 1, 0]);
    assert.equal(purge.isVersioned, false);
    const left: string[] = [];
    for await (const { key } of store.list('pools/cars/')) if (/\/(images|labels)\//.test(key)) left.push(key);
    const label = keys.label('cars', await labelOf(2));
    assert.deepEqual(left.sort(), [keys.derivativeImage('cars', 1, stays), keys.image('cars', stays), label].sort());
    assert.equal((await runImport(store, [item(1, 1)])).removed.length, 1);
    assert.equal(await store.head(keys.image('cars', gone)), null);
  });

  it('does not mind objects that are gone already', async () => {
    const store = server.open('gone');
    assert.deepEqual(await store.tryDelete(['a', 'b/c']), []);
    await assert.rejects(
      store.get('a'),
      (error: unknown) => error instanceof PartloopError && error.code === 'not-found',
    );
  });
});

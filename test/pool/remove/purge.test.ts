import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { IndexRow } from '../../../domain/tables.js';
import type { ImportItem } from '../../../formats/reading/importItem.js';
import { removeImages, restoreImages } from '../../../pool/remove/removeImages.js';
import { keys } from '../../../storage/keys.js';
import type { ObjectStore } from '../../../storage/objects/objectStore.js';
import { encodeLabel } from '../../../storage/pictures/labelMask.js';
import { openPool } from '../../../storage/pool/pool.js';
import { runImport, save } from '../../support/pictures/pictures.js';
import { memoryStore } from '../../support/standIns/memoryStore.js';
import { clock, desk, draw, within } from '../review/desk.js';
import { HEIGHT, scannedPool, WIDTH } from '../review/scannedPool.js';
import { imageIdOf, item, labelOf, NOW, named, namesOf, planOf, purgeImages, review, sha256, under } from './kit.js';

describe('deleting images with their bytes', function () {
  this.timeout(120_000);

  it('deletes pictures, all labels and copies of every size, but nothing that other images use', async () => {
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

  it('deletes a shared label with the last image that had it', async () => {
    const store = memoryStore();
    await runImport(store, [item(1, 1), item(2, 1)]);
    await purgeImages(store, named('front/1.jpg'));
    assert.equal(under(store, 'pools/cars/labels/').length, 1);
    await purgeImages(store, named('front/2.jpg'));
    assert.deepEqual(under(store, 'pools/cars/labels/'), []);
    assert.deepEqual(under(store, 'pools/cars/images/'), []);
  });

  it('goes on after an interruption by the same command, and then changes nothing more', async () => {
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

  it('deletes the bytes of images that were removed without them', async () => {
    const store = memoryStore();
    await runImport(store, [item(1, 1), item(2, 2)]);
    const id = await imageIdOf(1);
    await removeImages(await openPool(store, 'cars'), [id], { purge: false, now: NOW });
    const { images } = await purgeImages(store, named('front/1.jpg'));
    assert.equal(images, 1);
    assert.deepEqual(under(store, `images/${id}`), []);
  });

  it('names objects that the store did not delete, and deletes the rest', async () => {
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

  it('lists pictures that lie elsewhere, and leaves them to their owner', async () => {
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

  it('keeps an import from storing the picture again until somebody asks to restore it', async () => {
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

  it('restores a deleted picture from the import that brings it, not from its old place', async () => {
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

  it('takes no label from an import that runs at the same moment', async () => {
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

  it('takes no label from a review that runs at the same moment', async () => {
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

/** A picture that lies in another bucket. */
async function imageAt(store: ObjectStore, uri: string): Promise<{ body: Uint8Array }> {
  const { image } = item(1, 1);
  const body = image.kind === 'bytes' ? await image.read() : Buffer.alloc(0);
  await store.put(uri, body);
  return { body };
}

import assert from 'node:assert/strict';
import { PartloopError } from '../../../domain/base/errors.js';
import { keys } from '../../../storage/keys.js';
import { runImport } from '../../support/pictures/pictures.js';
import { startTestStore, type TestStore } from '../../support/servers/s3.js';
import { imageIdOf, item, labelOf, named, purgeImages } from './kit.js';

describe('deleting images from real S3', function () {
  this.timeout(180_000);
  let server: TestStore;
  before(async () => {
    server = await startTestStore();
  });
  after(() => server.stop());

  it('deletes more copies than one request may name, and only those of these images', async () => {
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

  it('accepts that objects are already gone', async () => {
    const store = server.open('gone');
    assert.deepEqual(await store.tryDelete(['a', 'b/c']), []);
    await assert.rejects(
      store.get('a'),
      (error: unknown) => error instanceof PartloopError && error.code === 'not-found',
    );
  });
});

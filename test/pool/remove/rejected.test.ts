import assert from 'node:assert/strict';
import { keys } from '../../../storage/keys.js';
import { openPool } from '../../../storage/pool/pool.js';
import { runImport } from '../../support/pictures/pictures.js';
import { keysUnder, ours, POOL, photo, put, receiptOf, sendMasks, storeWithPool } from '../ingest/kit.js';
import { named, planOf, purgeImages, sha256 } from './kit.js';

/** A store whose pool has image 3, and whose inbox brought the same picture with a label that was refused. */
async function storeWithRejected() {
  const store = await storeWithPool();
  await runImport(store, [ours(3)]);
  await sendMasks(store, 'd1', [{ seed: 10 }, { seed: 11, value: 9 }], {
    extra: { 'images/11.jpg': await photo(3), 'images/12.jpg': await photo(12) },
  });
  const { rejected } = await receiptOf(store, 'd1');
  return { store, folder: rejected ?? '' };
}

describe('a deletion of images that were rejected too', function () {
  this.timeout(60_000);

  it('deletes copies of their bytes with the reasons beside them, and nothing else that was rejected', async () => {
    const { store, folder } = await storeWithRejected();
    const imageId = sha256(await photo(3));
    const { traces } = await planOf(store, named(imageId), true);
    assert.deepEqual(traces.rejected, [`${folder}images/11.jpg`]);
    const purge = await purgeImages(store, named(imageId));
    assert.equal(purge.rejected, 1);
    const left = await keysUnder(store, folder);
    assert.ok(!left.some((path) => path.startsWith('images/11.jpg')), left.join(', '));
    assert.ok(left.includes('images/12.jpg') && left.includes('images/12.jpg.reason.json'), left.join(', '));
  });

  it('finds a file that never came into the pool, by its id and by its name in the drop', async () => {
    const { store, folder } = await storeWithRejected();
    const expected = [`${folder}images/12.jpg`];
    for (const name of [sha256(await photo(12)), 'images/12.jpg', '12.jpg'])
      assert.deepEqual((await planOf(store, named(name), true)).traces.rejected, expected, name);
    assert.deepEqual((await planOf(store, named('images/4.jpg'), true)).traces.rejected, []);
    assert.equal((await purgeImages(store, named('12.jpg'))).rejected, 1);
    assert.equal([...(await (await openPool(store, POOL)).history()).present()].length, 4);
  });

  it('names the documents of drops that name them', async () => {
    const { store } = await storeWithRejected();
    const documents = await keysUnder(store, keys.receivedPrefix(POOL));
    const { traces } = await planOf(store, named('10.jpg'), true);
    assert.deepEqual(
      traces.tables.filter((key) => key.includes('/received/')),
      documents.map((path) => `${keys.receivedPrefix(POOL)}${path}`),
    );
    const others = (await planOf(store, named('3.jpg'), true)).traces.tables;
    assert.deepEqual(
      others.filter((key) => key.includes('/received/')),
      [],
    );
  });

  it('is what the receipt of a request advises that names a file the pool does not know', async () => {
    const { store } = await storeWithRejected();
    await put(store, 'd2', 'removals.json', JSON.stringify({ images: ['12.jpg'] }));
    await put(store, 'd2', '_COMPLETE', '');
    const { removals } = await receiptOf(store, 'd2');
    assert.deepEqual([removals?.removed, removals?.unknown], [0, ['12.jpg']]);
    assert.match(removals?.next ?? '', /pool remove cars --images s3:.* --bytes --yes/);
  });
});

import assert from 'node:assert/strict';
import { DROP_MARKER } from '../../../domain/ingest/drop.js';
import { writeIngestRules } from '../../../pool/ingest/rules.js';
import { keys } from '../../../storage/keys.js';
import { openPool } from '../../../storage/pool/pool.js';
import { runImport } from '../../support/pictures/pictures.js';
import { indexOf } from '../import/items.js';
import { counts, keysUnder, ours, POOL, photo, put, receiptOf, sendMasks, settle, storeWithPool } from './kit.js';

const ADDED = { added: 0, replaced: 0, updated: 0, restored: 0, known: 0, removedEarlier: 0, refused: 0 };

describe('a drop of a client whom nobody trusts', function () {
  this.timeout(120_000);

  it('keeps out copies of test images and other views of their vehicles, unless the rules accept them', async () => {
    const store = await storeWithPool();
    const images = [{ seed: 10, more: { vehicleId: 'v2' } }, { seed: 2, value: 2 }, { seed: 11 }];
    await sendMasks(store, 'd1', images);
    const receipt = await receiptOf(store, 'd1');
    assert.deepEqual(counts(receipt), { ...ADDED, added: 1, refused: 2 });
    assert.match(receipt.reasons.map(({ reason }) => reason).join(), /vehicle `v2` of the test set/);
    await writeIngestRules(store, await openPool(store, POOL), { leaks: 'accept' });
    await sendMasks(store, 'd2', images);
    const accepted = await receiptOf(store, 'd2');
    assert.deepEqual(counts(accepted), { ...ADDED, added: 1, known: 1, refused: 1 });
    assert.ok(accepted.notices.some(({ notice }) => /share a vehicle with the test set/.test(notice)));
  });

  it('does not read pictures elsewhere for a client', async () => {
    const store = await storeWithPool();
    await store.put('s3://private/secret.jpg', await photo(99));
    await sendMasks(store, 'd1', [{ seed: 10 }, { seed: 11, more: { image: 's3://private/secret.jpg' } }]);
    store.read.length = 0;
    const receipt = await receiptOf(store, 'd1');
    assert.deepEqual(counts(receipt), { ...ADDED, added: 1, refused: 1 });
    assert.deepEqual(
      store.read.filter((key) => key.startsWith('s3://')),
      [],
    );
  });

  it('does not look outside of itself for a file', async () => {
    const store = await storeWithPool();
    await put(store, 'other', 'images/50.jpg', await photo(50));
    await sendMasks(store, 'd1', [{ seed: 11, more: { image: '../other/images/50.jpg' } }]);
    await writeIngestRules(store, await openPool(store, POOL), { waitHours: 0 });
    assert.deepEqual(counts(await receiptOf(store, 'd1')), { ...ADDED, refused: 1 });
    assert.equal((await keysUnder(store, keys.drop(POOL, 'other'))).length, 1);
  });

  it('takes images out of the pool by a removal request, up to the share that the rules allow', async () => {
    const store = await storeWithPool();
    await writeIngestRules(store, await openPool(store, POOL), { largestRemoval: 0.5 });
    await put(
      store,
      'd1',
      'removals.json',
      JSON.stringify({ vehicles: ['v1'], images: ['nobody.jpg'], reason: 'asked' }),
    );
    await put(store, 'd1', DROP_MARKER, '');
    const { removals, outcome } = await receiptOf(store, 'd1');
    assert.deepEqual(
      [outcome, removals?.outcome, removals?.removed, removals?.unknown],
      ['taken', 'removed', 1, ['nobody.jpg']],
    );
    assert.match(removals?.next ?? '', /--bytes --yes/);
    assert.deepEqual(
      (await indexOf(store)).map(({ vehicleId }) => vehicleId),
      ['v2'],
    );
    await writeIngestRules(store, await openPool(store, POOL), { largestRemoval: 0 });
    await put(store, 'd2', 'removals.json', JSON.stringify({ images: ['2.jpg'] }));
    await put(store, 'd2', DROP_MARKER, '');
    assert.equal((await receiptOf(store, 'd2')).removals?.outcome, 'too-many');
    assert.equal((await indexOf(store)).length, 1);
  });

  it('changes nothing of the test set, neither facts nor members', async () => {
    const store = await storeWithPool();
    await sendMasks(store, 'd1', [{ seed: 2, more: { vehicleId: 'v1' } }], {
      extra: { 'removals.json': JSON.stringify({ images: ['2.jpg'] }) },
    });
    await writeIngestRules(store, await openPool(store, POOL), { largestRemoval: 1 });
    const receipt = await receiptOf(store, 'd1');
    assert.deepEqual(counts(receipt), { ...ADDED, refused: 1 });
    assert.equal(receipt.removals?.outcome, 'too-many');
    assert.match(receipt.removals?.reason ?? '', /test set/);
    assert.deepEqual(
      (await indexOf(store)).filter(({ split }) => split === 'test').map(({ vehicleId }) => vehicleId),
      ['v2'],
    );
  });

  it('may not take out by many requests what one alone may not', async () => {
    const store = await storeWithPool();
    await runImport(store, [ours(3), ours(4), ours(5)]);
    await writeIngestRules(store, await openPool(store, POOL), { largestRemoval: 0.3 });
    const outcomes: (string | undefined)[] = [];
    for (const number of [3, 4, 5]) {
      await put(store, `d${number}`, 'removals.json', JSON.stringify({ images: [`${number}.jpg`] }));
      await put(store, `d${number}`, DROP_MARKER, '');
      outcomes.push((await receiptOf(store, `d${number}`)).removals?.outcome);
    }
    assert.deepEqual(outcomes, ['removed', 'removed', 'too-many']);
  });

  it('is not refused for a fault of the rules, which name a class that the pool lacks', async () => {
    const store = await storeWithPool();
    const pool = await openPool(store, POOL);
    const wrong = { classMap: { bonnet: 'hoood' } };
    await assert.rejects(writeIngestRules(store, pool, wrong), /taxonomy three has no class hoood/);
    await store.put(keys.ingestRules(POOL), JSON.stringify(wrong));
    await sendMasks(store, 'd1', [{ seed: 10 }]);
    await assert.rejects(settle(store, 'd1'), /taxonomy three has no class hoood/);
    assert.equal((await keysUnder(store, keys.drop(POOL, 'd1'))).length, 4);
  });

  it('with a line of a hundred thousand letters costs a bounded reason', async () => {
    const store = await storeWithPool();
    await sendMasks(store, 'd1', [{ seed: 10 }, { seed: 11, more: { split: 'x'.repeat(90_000) } }]);
    const receipt = await receiptOf(store, 'd1');
    assert.deepEqual(counts(receipt), { ...ADDED, added: 1, refused: 1 });
    assert.ok(JSON.stringify(receipt).length < 10_000);
  });
});

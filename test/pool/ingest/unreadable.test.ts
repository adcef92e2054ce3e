import assert from 'node:assert/strict';
import { z } from 'zod';
import { PartloopError } from '../../../domain/base/errors.js';
import { DROP_MARKER } from '../../../domain/ingest/drop.js';
import { DECODE_HERE } from '../../../pool/import/decoder.js';
import { settleDrop } from '../../../pool/ingest/settleDrop.js';
import { keys } from '../../../storage/keys.js';
import type { ObjectStore } from '../../../storage/objects/objectStore.js';
import { readJson } from '../../../storage/tables/json.js';
import { counts, keysUnder, POOL, sendMasks, storeWithPool } from './kit.js';

const reasonSchema = z.object({ reason: z.string() });
const ONE_BAD = { added: 1, replaced: 0, updated: 0, restored: 0, known: 0, removedEarlier: 0, refused: 1 };

const forbidden = (key: string) => new PartloopError('setup-incomplete', `the store refuses access to ${key}`);
const away = (key: string) => new PartloopError('store-unavailable', `the store did not answer for ${key}`);

/** The same store, which does not give some objects of drop `d1`: a fault that no store of the tests can have. */
function withholding(store: ObjectStore, paths: readonly string[], fault: (key: string) => PartloopError): ObjectStore {
  const withheld = new Set(paths.map((path) => `${keys.drop(POOL, 'd1')}${path}`));
  const guarded = async <T>(key: string, work: () => Promise<T>): Promise<T> => {
    if (withheld.has(key)) throw fault(key);
    return work();
  };
  return {
    ...store,
    get: (key, ifMatch) => guarded(key, () => store.get(key, ifMatch)),
    tryGet: (key) => guarded(key, () => store.tryGet(key)),
    getFile: (key, path) => guarded(key, () => store.getFile(key, path)),
  };
}

const settle = (store: ObjectStore, givesUp = false) =>
  settleDrop(store, { pool: POOL, drop: 'd1', decoder: DECODE_HERE, givesUp, onProgress: () => undefined });

async function receiptOf(store: ObjectStore, givesUp = false) {
  const outcome = await settle(store, givesUp);
  if (outcome.kind !== 'settled') throw new Error(`the drop is ${JSON.stringify(outcome)}`);
  return outcome.receipt;
}

describe('a file of a drop that the store does not give', function () {
  this.timeout(60_000);

  it('is refused alone if access to it is forbidden: its reason is set aside, and it stays', async () => {
    const store = await storeWithPool();
    await sendMasks(store, 'd1', [{ seed: 10 }, { seed: 11 }]);
    const receipt = await receiptOf(withholding(store, ['images/11.jpg'], forbidden));
    assert.deepEqual([receipt.outcome, counts(receipt)], ['taken', ONE_BAD]);
    const folder = receipt.rejected ?? '';
    assert.deepEqual(await keysUnder(store, folder), [
      'images/11.jpg.reason.json',
      'labels/11.png',
      'labels/11.png.reason.json',
    ]);
    const { reason } = await readJson(store, `${folder}images/11.jpg.reason.json`, reasonSchema);
    assert.match(reason, /11.jpg cannot be read: the store refuses access .* stays in the inbox: make it readable/);
    assert.deepEqual(await keysUnder(store, keys.drop(POOL, 'd1')), ['images/11.jpg']);
  });

  it('may be one that no label names', async () => {
    const store = await storeWithPool();
    await sendMasks(store, 'd1', [{ seed: 10 }], { extra: { 'notes.txt': 'secret' } });
    const receipt = await receiptOf(withholding(store, ['notes.txt'], forbidden));
    assert.deepEqual([receipt.added, receipt.strays], [1, 1]);
    assert.deepEqual(await keysUnder(store, keys.drop(POOL, 'd1')), ['notes.txt']);
  });

  it('refuses the drop with what to do if it is the labels', async () => {
    const store = await storeWithPool();
    await sendMasks(store, 'd1', [{ seed: 10 }]);
    const receipt = await receiptOf(withholding(store, ['manifest.jsonl'], forbidden));
    assert.equal(receipt.outcome, 'refused');
    assert.match(receipt.reason ?? '', /manifest.jsonl cannot be read: the store refuses access/);
    assert.equal((await keysUnder(store, keys.drop(POOL, 'd1'))).length, 3);
  });

  it('is the fault of the machine if the marker cannot be read either: then nothing of the drop is refused', async () => {
    const store = await storeWithPool();
    await sendMasks(store, 'd1', [{ seed: 10 }]);
    const blind = withholding(store, ['images/10.jpg', 'labels/10.png', 'manifest.jsonl', DROP_MARKER], forbidden);
    await assert.rejects(settle(blind), { code: 'setup-incomplete' });
    assert.equal((await receiptOf(store)).added, 1);
  });

  it('is tried again while the store may only be away, and refused when earlier tries have ended over it', async () => {
    const store = await storeWithPool();
    await sendMasks(store, 'd1', [{ seed: 10 }, { seed: 11 }]);
    const broken = withholding(store, ['images/11.jpg'], away);
    await assert.rejects(settle(broken), { code: 'store-unavailable' });
    const receipt = await receiptOf(broken, true);
    assert.deepEqual([receipt.outcome, counts(receipt)], ['taken', ONE_BAD]);
    assert.deepEqual(await keysUnder(store, keys.drop(POOL, 'd1')), ['images/11.jpg']);
  });

  it('is refused if the store lists it and has it no more', async () => {
    const store = await storeWithPool();
    await sendMasks(store, 'd1', [{ seed: 10 }, { seed: 11 }]);
    const gone = (key: string) => new PartloopError('not-found', `there is no object ${key} in the store`);
    const receipt = await receiptOf(withholding(store, ['labels/11.png'], gone));
    assert.deepEqual(counts(receipt), ONE_BAD);
  });
});

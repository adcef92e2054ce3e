import assert from 'node:assert/strict';
import { z } from 'zod';
import { PartloopError } from '../../../domain/base/errors.js';
import { DROP_MARKER } from '../../../domain/ingest/drop.js';
import type { Receipt } from '../../../domain/ingest/receipt.js';
import { writeIngestRules } from '../../../pool/ingest/rules.js';
import { keys } from '../../../storage/keys.js';
import { openPool } from '../../../storage/pool/pool.js';
import { readJson } from '../../../storage/tables/json.js';
import { mask, runImport } from '../../support/pictures/pictures.js';
import { indexOf } from '../import/items.js';
import { counts, keysUnder, ours, POOL, photo, put, receiptOf, sendMasks, settle, storeWithPool } from './kit.js';

const ADDED = { added: 0, replaced: 0, updated: 0, restored: 0, known: 0, removedEarlier: 0, refused: 0 };
const reasonSchema = z.object({ file: z.string(), reason: z.string() });

describe('a drop', function () {
  this.timeout(120_000);

  it('comes into the pool, leaves a receipt, and is cleared away', async () => {
    const store = await storeWithPool();
    await sendMasks(store, 'd1', [{ seed: 10 }, { seed: 11, more: { tags: { black: true }, vehicleId: 'v9' } }]);
    const receipt = await receiptOf(store, 'd1');
    assert.deepEqual(counts(receipt), { ...ADDED, added: 2 });
    assert.deepEqual([receipt.outcome, receipt.format, receipt.files, receipt.rejected], ['taken', 'masks', 5, null]);
    const rows = await indexOf(store);
    assert.equal(rows.length, 4);
    assert.deepEqual(
      rows
        .filter(({ vehicleId }) => vehicleId === 'v9')
        .map(({ source, black, changeId }) => [source, black, changeId]),
      [['client', true, receipt.arrival]],
    );
    assert.deepEqual(await keysUnder(store, keys.inbox(POOL)), []);
    assert.deepEqual(await keysUnder(store, keys.ingestWork(POOL, receipt.arrival)), []);
    assert.deepEqual(await keysUnder(store, keys.received(POOL, receipt.arrival, '')), ['manifest.jsonl']);
    assert.deepEqual(await settle(store, 'd1'), { kind: 'incomplete' });
  });

  it('is left alone as long as it has no marker', async () => {
    const store = await storeWithPool();
    await sendMasks(store, 'd1', [{ seed: 10 }], { marker: null });
    assert.deepEqual(await settle(store, 'd1'), { kind: 'incomplete' });
    assert.equal((await indexOf(store)).length, 2);
    await put(store, 'd1', DROP_MARKER, '');
    assert.equal((await receiptOf(store, 'd1')).added, 1);
  });

  it('that arrives twice is taken once, and both arrivals have a receipt', async () => {
    const store = await storeWithPool();
    await sendMasks(store, 'd1', [{ seed: 10 }]);
    const first = await receiptOf(store, 'd1');
    await sendMasks(store, 'd1', [{ seed: 10 }]);
    const second = await receiptOf(store, 'd1');
    assert.deepEqual([second.outcome, second.sameAs, second.entries], ['repeated', first.arrival, 0]);
    assert.deepEqual(await keysUnder(store, keys.inbox(POOL)), []);
    assert.equal((await keysUnder(store, keys.receiptPrefix(POOL))).length, 2);
    await sendMasks(store, 'd2', [{ seed: 10 }]);
    assert.deepEqual(counts(await receiptOf(store, 'd2')), { ...ADDED, known: 1 });
  });

  it('that arrives in halves brings what is there, waits for the rest, and counts once', async () => {
    const store = await storeWithPool();
    await sendMasks(store, 'd1', [{ seed: 10 }, { seed: 11 }]);
    await store.delete([`${keys.drop(POOL, 'd1')}images/11.jpg`, `${keys.drop(POOL, 'd1')}labels/11.png`]);
    const half = await settle(store, 'd1');
    assert.deepEqual([half.kind, half.kind === 'waiting' && half.missing], ['waiting', 2]);
    assert.equal((await indexOf(store)).length, 3);
    store.read.length = 0;
    assert.equal((await settle(store, 'd1')).kind, 'waiting');
    assert.deepEqual(
      store.read.filter((key) => key.includes('images/')),
      [],
      'a drop that has not changed is not read again',
    );
    await put(store, 'd1', 'images/11.jpg', await photo(11));
    await put(store, 'd1', 'labels/11.png', await mask(1));
    assert.deepEqual(counts(await receiptOf(store, 'd1')), { ...ADDED, added: 2 });
  });

  it('waits for as many files as its marker counts', async () => {
    const store = await storeWithPool();
    await sendMasks(store, 'd1', [{ seed: 10 }], { marker: JSON.stringify({ files: 4 }) });
    assert.equal((await settle(store, 'd1')).kind, 'waiting');
    assert.equal((await indexOf(store)).length, 2);
    await put(store, 'd1', 'notes.txt', 'the fourth');
    const receipt = await receiptOf(store, 'd1');
    assert.deepEqual([receipt.added, receipt.strays], [1, 1]);
  });

  it('is taken without the missing files once it has waited for as long as the rules say', async () => {
    const store = await storeWithPool();
    await writeIngestRules(store, await openPool(store, POOL), { waitHours: 0 });
    await sendMasks(store, 'd1', [{ seed: 10 }, { seed: 11 }]);
    await store.delete([`${keys.drop(POOL, 'd1')}images/11.jpg`]);
    const receipt = await receiptOf(store, 'd1');
    assert.deepEqual(counts(receipt), { ...ADDED, added: 1, refused: 1 });
    assert.match(receipt.reasons[0]?.reason ?? '', /does not exist in the drop/);
    assert.deepEqual(await keysUnder(store, receipt.rejected ?? ''), ['labels/11.png', 'labels/11.png.reason.json']);
  });

  it('that grows while it is read is read again before anything of it is deleted', async () => {
    const store = await storeWithPool();
    await sendMasks(store, 'd1', [{ seed: 10 }]);
    let isGrown = false;
    store.beforeWrite = async (key) => {
      if (isGrown || !key.startsWith(keys.segmentPrefix(POOL))) return;
      isGrown = true;
      await sendMasks(store, 'd1', [{ seed: 10, value: 2 }, { seed: 11 }], { marker: null });
    };
    const receipt = await receiptOf(store, 'd1');
    assert.deepEqual(counts(receipt), { ...ADDED, added: 2 });
    const rows = await indexOf(store);
    assert.deepEqual(
      rows
        .filter(({ changeId }) => changeId === receipt.arrival)
        .map(({ classes }) => classes)
        .sort(),
      [[1], [2]],
    );
  });

  it('moves bad files aside, a reason beside each, and takes the good ones', async () => {
    const store = await storeWithPool();
    await sendMasks(
      store,
      'd1',
      [{ seed: 10 }, { seed: 11 }, { seed: 12, value: 9 }, { seed: 13, more: { split: 'test' } }],
      { extra: { 'images/11.jpg': 'no picture', 'lost/14.jpg': await photo(14) } },
    );
    const receipt = await receiptOf(store, 'd1');
    assert.deepEqual(counts(receipt), { ...ADDED, added: 1, refused: 3 });
    assert.equal(receipt.strays, 1);
    const folder = receipt.rejected ?? '';
    assert.deepEqual(
      (await keysUnder(store, folder)).filter((key) => !key.endsWith('.reason.json')),
      [
        'images/11.jpg',
        'images/12.jpg',
        'images/13.jpg',
        'labels/11.png',
        'labels/12.png',
        'labels/13.png',
        'lost/14.jpg',
      ],
    );
    const reasonOf = async (path: string) =>
      (await readJson(store, `${folder}${path}.reason.json`, reasonSchema)).reason;
    assert.match(await reasonOf('images/11.jpg'), /not a readable picture/);
    assert.match(await reasonOf('labels/12.png'), /9/);
    assert.match(await reasonOf('images/13.jpg'), /test set/);
    assert.match(await reasonOf('lost/14.jpg'), /no label of the drop names it/);
    assert.deepEqual(Buffer.from((await store.get(`${folder}lost/14.jpg`)).body), await photo(14));
    assert.deepEqual(await keysUnder(store, keys.inbox(POOL)), []);
  });

  it('whose labels cannot be read is refused as a whole and keeps its files; mended and marked again it is taken', async () => {
    const store = await storeWithPool();
    await put(store, 'd1', 'images/10.jpg', await photo(10));
    await put(store, 'd1', 'annotations.json', '{"images": [');
    await put(store, 'd1', DROP_MARKER, '');
    const refused = await receiptOf(store, 'd1');
    assert.deepEqual([refused.outcome, counts(refused)], ['refused', ADDED]);
    assert.match(refused.reason ?? '', /annotations\.json is not JSON: line 1/);
    assert.deepEqual(await keysUnder(store, keys.drop(POOL, 'd1')), ['annotations.json', 'images/10.jpg']);
    assert.deepEqual(await settle(store, 'd1'), { kind: 'incomplete' });
    await put(store, 'd1', 'annotations.json', coco([{ id: 1, file_name: '10.jpg' }]));
    await put(store, 'd1', DROP_MARKER, '');
    const taken = await receiptOf(store, 'd1');
    assert.deepEqual([taken.outcome, taken.format, counts(taken)], ['taken', 'coco', { ...ADDED, added: 1 }]);
  });

  it('has categories mapped and left out by the rules of its pool, also those that it lacks', async () => {
    const store = await storeWithPool();
    await writeIngestRules(store, await openPool(store, POOL), {
      classMap: { bonnet: 'hood', boot: 'wheel' },
      ignoreClasses: ['person'],
    });
    const categories = ['bonnet', 'person'];
    await put(store, 'd1', 'images/10.jpg', await photo(10));
    await put(store, 'd1', 'annotations/instances.json', coco([{ id: 1, file_name: '10.jpg' }], categories));
    await put(store, 'd1', DROP_MARKER, '');
    assert.deepEqual(counts(await receiptOf(store, 'd1')), { ...ADDED, added: 1 });
  });

  it('with a marker that says something unknown is refused with the field', async () => {
    const store = await storeWithPool();
    await sendMasks(store, 'd1', [{ seed: 10 }], { marker: '{"fomat": "masks"}' });
    const receipt = await receiptOf(store, 'd1');
    assert.equal(receipt.outcome, 'refused');
    assert.match(receipt.reason ?? '', /fomat/);
  });

  it('leaves the next arrival of a drop alone while it clears the last one away, byte for byte the same', async () => {
    const store = await storeWithPool();
    await sendMasks(store, 'd1', [{ seed: 10 }]);
    let isSent = false;
    store.beforeWrite = async (key) => {
      if (isSent || !key.startsWith(keys.receiptPrefix(POOL))) return;
      isSent = true;
      store.now = () => new Date(Date.now() + 5_000);
      await sendMasks(store, 'd1', [{ seed: 10 }], { extra: { 'removals.json': '{"images": ["1.jpg"]}' } });
    };
    assert.equal((await receiptOf(store, 'd1')).outcome, 'taken');
    assert.equal((await keysUnder(store, keys.drop(POOL, 'd1'))).length, 5);
    const next = await receiptOf(store, 'd1');
    assert.deepEqual([next.outcome, next.known, next.removals?.removed], ['taken', 1, 1]);
  });

  it('comes out the same wherever a try ends, at any write or delete', async () => {
    const drop = async (store: Awaited<ReturnType<typeof storeWithPool>>) => {
      await runImport(store, [ours(3)]);
      await writeIngestRules(store, await openPool(store, POOL), { largestRemoval: 1 });
      await sendMasks(
        store,
        'd1',
        [{ seed: 10 }, { seed: 11 }, { seed: 1, value: 2 }, { seed: 12, more: { split: 'test' } }],
        {
          extra: { 'images/11.jpg': 'no picture', 'removals.json': JSON.stringify({ images: ['3.jpg'] }) },
        },
      );
    };
    const whole = await storeWithPool();
    await drop(whole);
    const expected = shapeOf(await receiptOf(whole, 'd1'));
    const result = await stateOf(whole);
    for (let fault = 1; ; fault++) {
      const store = await storeWithPool();
      await drop(store);
      const broken = failingAt(store, fault);
      const first = await settle(broken.store, 'd1').catch((error: unknown) => error);
      if (!broken.hasFailed()) {
        assert.ok(fault > 15, `only ${fault} writes`);
        break;
      }
      if (!(first instanceof Error)) throw new Error(`write ${fault} was lost on nobody`);
      await settle(store, 'd1');
      const [arrival, ...others] = await keysUnder(store, keys.receiptPrefix(POOL));
      assert.deepEqual(others, [], `fault ${fault}`);
      const receipt = await readJson(store, `${keys.receiptPrefix(POOL)}${arrival}`, z.looseObject({}));
      assert.deepEqual(shapeOf(receipt as unknown as Receipt), expected, `fault ${fault}`);
      assert.deepEqual(await stateOf(store), result, `fault ${fault}`);
    }
  });
});

/** A COCO file whose images each have one square of the first category. */
function coco(images: { id: number; file_name: string }[], categories = ['hood']): string {
  return JSON.stringify({
    images: images.map((image) => ({ ...image, width: 24, height: 16 })),
    categories: categories.map((name, index) => ({ id: index + 1, name })),
    annotations: images.flatMap(({ id }) =>
      categories.map((_, index) => ({
        ...{ id: id * 10 + index, image_id: id, category_id: index + 1 },
        segmentation: [[2, 2, 12, 2, 12, 10, 2, 10]],
      })),
    ),
  });
}

/** A receipt without what differs from try to try. */
function shapeOf({ arrival, firstSeenAt: _, settledAt: __, poolVersion: ___, ...rest }: Receipt) {
  return JSON.parse(JSON.stringify(rest).replaceAll(arrival, 'ARRIVAL'));
}

/** All that a drop leaves in the store, apart from times and names. */
async function stateOf(store: Awaited<ReturnType<typeof storeWithPool>>) {
  const rows = await indexOf(store);
  return {
    images: rows.map(({ imageId, labelSha256, split, labelRevision }) => [imageId, labelSha256, split, labelRevision]),
    objects: store.keys
      .map((key) => key.replace(/[0-9A-HJKMNP-TV-Z]{26}/g, 'ARRIVAL'))
      .filter((key) => !key.startsWith(keys.segmentPrefix(POOL)) && !key.startsWith(keys.catalogPrefix(POOL))),
  };
}

/** The same store, of which one write or delete fails: a delete after it took half of the keys. */
function failingAt(store: Awaited<ReturnType<typeof storeWithPool>>, fault: number) {
  let calls = 0;
  const due = (): boolean => ++calls === fault;
  const fail = (key: string | undefined) => new PartloopError('store-unavailable', `${key} could not be written`);
  const delegate: typeof store = {
    ...store,
    put: async (key, ...rest) => {
      if (due()) throw fail(key);
      return store.put(key, ...rest);
    },
    putIfAbsent: async (key, ...rest) => {
      if (due()) throw fail(key);
      return store.putIfAbsent(key, ...rest);
    },
    replace: async (key, ...rest) => {
      if (due()) throw fail(key);
      return store.replace(key, ...rest);
    },
    putFile: async (key, ...rest) => {
      if (due()) throw fail(key);
      return store.putFile(key, ...rest);
    },
    delete: async (names) => {
      if (!due()) return store.delete(names);
      await store.delete(names.slice(0, Math.ceil(names.length / 2)));
      throw fail(names.at(-1));
    },
  };
  return { store: delegate, hasFailed: () => calls >= fault };
}

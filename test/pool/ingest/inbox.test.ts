import assert from 'node:assert/strict';
import fc from 'fast-check';
import { DROP_MARKER } from '../../../domain/ingest/drop.js';
import { listReceipts, lookIntoInbox, poolsWithInbox, wholeDrops } from '../../../pool/ingest/inbox.js';
import { memoryStore } from '../../support/standIns/memoryStore.js';
import { POOL, put, receiptOf, sendMasks, storeWithPool } from './kit.js';

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/** As a store lists folders. */
const byKey = (a: string, b: string): number => (`${a}/` < `${b}/` ? -1 : 1);

describe('an inbox', function () {
  this.timeout(60_000);

  it('gives every whole drop once, in order and page by page, and no other folder', async () => {
    const name = fc.oneof(fc.stringMatching(/^[a-c0-2._-]{1,3}$/), fc.constantFrom('with blank', 'ü', '_x'));
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(name, { maxLength: 12 }),
        fc.uniqueArray(name, { maxLength: 6 }),
        fc.integer({ min: 1, max: 4 }),
        async (whole, incomplete, limit) => {
          const store = memoryStore();
          for (const drop of whole) await put(store, drop, DROP_MARKER, '');
          for (const drop of incomplete) await put(store, drop, 'a.jpg', 'x');
          const found: string[] = [];
          for (let after: string | null = null; ; ) {
            const page = await wholeDrops(store, POOL, { after, limit, onProgress: () => undefined });
            assert.ok(page.drops.length <= limit);
            found.push(...page.drops);
            if (page.last === null) break;
            after = page.last;
          }
          assert.deepEqual(found, whole.filter((drop) => NAME.test(drop)).sort(byKey));
        },
      ),
      { numRuns: 100 },
    );
  });

  it('shows drops with their state, and folders that nobody reads', async () => {
    const store = await storeWithPool();
    await sendMasks(store, 'd1', [{ seed: 10 }], { marker: null });
    await put(store, 'not a name', 'a.jpg', 'x');
    await store.put('inbox/unknown/d1/_COMPLETE', '');
    const { drops, misnamed } = await lookIntoInbox(store, POOL);
    assert.deepEqual(drops, [{ drop: 'd1', isWhole: false, state: null }]);
    assert.deepEqual(misnamed, ['not a name']);
    assert.deepEqual(await poolsWithInbox(store), [POOL]);
  });

  it('has its receipts listed from the newest to the oldest, of one drop or of all', async () => {
    const store = await storeWithPool();
    const arrivals: string[] = [];
    for (const drop of ['d1', 'd2', 'd1']) {
      await sendMasks(store, drop, [{ seed: 10 }]);
      arrivals.unshift((await receiptOf(store, drop)).arrival);
      // Names of arrivals sort by the millisecond.
      await new Promise((done) => setTimeout(done, 2));
    }
    const listed = async (options = {}) => (await listReceipts(store, POOL, options)).map(({ arrival }) => arrival);
    assert.deepEqual(await listed(), arrivals);
    assert.deepEqual(await listed({ limit: 1 }), arrivals.slice(0, 1));
    assert.deepEqual(await listed({ drop: 'd1' }), [arrivals[0], arrivals[2]]);
  });
});

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { InHand } from '../../../inference/scan/inHand.js';
import { memoryStore } from '../../support/standIns/memoryStore.js';

const KEY = 'shards/7.json.gz.in-hand.json';
const images = (count: number): string[] => Array.from({ length: count }, (_, n) => `image-${n}`);

describe('the record of a shard in hand', () => {
  it('holds every image that native code may see, in any order of ends, and wherever the process ends', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 1, max: 12 }),
        fc.infiniteStream(fc.nat(100)),
        fc.double({ min: 0, max: 1, noNaN: true }),
        async (count, lanes, order, endsAt) => {
          const store = memoryStore();
          const all = images(count);
          const hand = await InHand.open(store, KEY);
          await hand.loading();
          const open: number[] = [];
          let next = 0;
          const end = Math.ceil(count * endsAt);
          while (next < end) {
            while (open.length < lanes && next < end) {
              await hand.before(all, next);
              open.push(next++);
            }
            const [{ value: pick }] = [order.next()];
            for (const index of open.splice(pick % open.length, 1)) hand.done(index);
          }
          // The process ends here without a word.
          const found = await InHand.open(store, KEY);
          const suspects = new Set(found.suspects ?? all);
          for (const index of open) assert.ok(suspects.has(all[index] ?? ''), `${all[index]} of ${count}`);
          assert.equal(found.ended, 1);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('is a few images long if they end in order, however many there are', async () => {
    const store = memoryStore();
    const all = images(300);
    const hand = await InHand.open(store, KEY);
    await hand.loading();
    for (let index = 0; index < all.length; index++) {
      await hand.before(all, index);
      if (index >= 12) hand.done(index - 12);
    }
    assert.ok(((await InHand.open(store, KEY)).suspects?.length ?? 0) <= 64 + 32 + 64);
  });

  it('is empty after an orderly end, while its lessons stay until the shard is done', async () => {
    const store = memoryStore();
    const first = await InHand.open(store, KEY);
    await first.before(images(3), 0);
    await first.close();
    assert.equal(await store.head(KEY), null);

    await (await InHand.open(store, KEY)).before(images(3), 0);
    const second = await InHand.open(store, KEY);
    assert.deepEqual([second.ended, second.suspects], [1, images(3)]);
    await second.keep();
    await second.leaveOut('image-1', 'it ended 3 processes');
    await second.close();
    const third = await InHand.open(store, KEY);
    assert.deepEqual([third.ended, third.suspects, third.leftOut], [1, [], { 'image-1': 'it ended 3 processes' }]);
    await third.finish();
    assert.equal(await store.head(KEY), null);
  });

  it('keeps excluded images if the shard is judged again, and forgets earlier ends', async () => {
    const store = memoryStore();
    const first = await InHand.open(store, KEY);
    await first.before(images(3), 0);
    const second = await InHand.open(store, KEY);
    await second.leaveOut('image-1', 'it ended 3 processes');
    await second.before(images(3), 0);
    await second.finish({ keepLeftOut: true });
    const third = await InHand.open(store, KEY);
    assert.deepEqual([third.ended, third.suspects, third.leftOut], [0, [], { 'image-1': 'it ended 3 processes' }]);
    await third.finish();
    assert.equal(await store.head(KEY), null);
    await (await InHand.open(store, KEY)).finish({ keepLeftOut: true });
    assert.equal(await store.head(KEY), null);
  });

  it('holds only the images that hang, even during other writes', async () => {
    const store = memoryStore();
    const hand = await InHand.open(store, KEY);
    await hand.before(images(200), 0);
    void hand.before(images(200), 60);
    await Promise.all([hand.stalled('image-5'), hand.stalled('image-9')]);
    await hand.before(images(200), 150).catch(() => undefined);
    assert.deepEqual((await InHand.open(store, KEY)).suspects, ['image-5', 'image-9']);
  });

  it('is empty if it is unreadable: its images are judged as if for the first time', async () => {
    for (const text of ['{"version": 2}', '{"version": 1, "ended": 1, "ha', '']) {
      const store = memoryStore();
      await store.put(KEY, text);
      const hand = await InHand.open(store, KEY);
      assert.deepEqual([hand.ended, hand.suspects, hand.leftOut], [0, [], {}]);
    }
  });
});

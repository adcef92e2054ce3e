import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { forEachLimited } from '../../storage/parallel.js';

describe('parallel work on many items', () => {
  it('is done once per item, and never on more at a time than the limit', () =>
    fc.assert(
      fc.asyncProperty(fc.array(fc.nat(3)), fc.integer({ min: 1, max: 6 }), async (pauses, limit) => {
        const done: number[] = [];
        let atOnce = 0;
        let most = 0;
        await forEachLimited(pauses, limit, async (pause, index) => {
          most = Math.max(most, ++atOnce);
          for (let turn = 0; turn < pause; turn++) await null;
          atOnce--;
          done.push(index);
        });
        assert.deepEqual(
          done.sort((a, b) => a - b),
          [...pauses.keys()],
        );
        assert.ok(most <= limit);
      }),
    ));

  it('starts nothing more after the first error, and throws that error', async () => {
    const begun: number[] = [];
    const work = async (item: number): Promise<void> => {
      begun.push(item);
      if (item === 1) throw new Error('one');
      await sleep(5);
    };
    await assert.rejects(forEachLimited([0, 1, 2, 3, 4, 5], 2, work), /one/);
    await sleep(20);
    assert.deepEqual(begun, [0, 1]);
  });

  it('finishes current items if it is aborted, and then throws the reason', async () => {
    const abort = new AbortController();
    const begun: number[] = [];
    const work = async (item: number): Promise<void> => {
      begun.push(item);
      if (item === 1) abort.abort(new Error('no more'));
    };
    await assert.rejects(forEachLimited([0, 1, 2, 3], 1, work, abort.signal), /no more/);
    assert.deepEqual(begun, [0, 1]);
  });
});

import assert from 'node:assert/strict';
import type { ImageFacts } from '../../formats/reading/importItem.js';
import { tagImages } from '../../pool/tagImages.js';
import { keys } from '../../storage/keys.js';
import { openPool } from '../../storage/pool/pool.js';
import { indexRow } from '../storage/rows.js';
import { TAXONOMY } from '../support/pictures/pictures.js';
import { memoryStore } from '../support/standIns/memoryStore.js';

const now = new Date('2026-02-01T00:00:00Z');
const facts = (more: Partial<ImageFacts>): ImageFacts => ({
  tags: {},
  vehicleId: null,
  source: null,
  split: null,
  ...more,
});

describe('tags for images of a pool', () => {
  const somePool = async () => {
    const store = memoryStore();
    await store.put(keys.taxonomy('cars'), JSON.stringify(TAXONOMY));
    const pool = await openPool(store, 'cars');
    await pool.append(() => [
      indexRow(1, { fileName: 'a/1.jpg' }),
      indexRow(2, { fileName: 'b/1.jpg' }),
      indexRow(3, { fileName: 'c/3.jpg' }),
    ]);
    return pool;
  };

  it('are matched by id, by name, and by the last part of a name that only one image has', async () => {
    const pool = await somePool();
    const tags = new Map([
      [indexRow(1).imageId, facts({ tags: { black: true } })],
      ['b/1.jpg', facts({ vehicleId: 'v2' })],
      ['3.jpg', facts({ split: 'test' })],
      ['1.jpg', facts({ tags: { black: false } })],
      ['9.jpg', facts({ tags: { black: false } })],
    ]);
    const { updated, refused, movedToTest, version } = await tagImages(pool, tags, { relabel: false, now });
    assert.deepEqual([updated, version, movedToTest], [3, 2, ['3.jpg']]);
    assert.match(refused[0]?.reason ?? '', /2 images have this name: name them by id \(000000000000, 000000000000\)/);
    assert.match(refused[1]?.reason ?? '', /no such image/);
    const rows = await pool.readIndex(2);
    assert.deepEqual(
      rows.map(({ black, vehicleId, split, labelSha256 }) => [black, vehicleId, split, labelSha256 !== '']),
      [
        [true, null, 'train', true],
        [null, 'v2', 'train', true],
        [null, null, 'test', true],
      ],
    );
  });

  it('change nothing when they come again, and do not come back once they changed', async () => {
    const pool = await somePool();
    const say = (angle: 30 | 45, relabel = false) =>
      tagImages(pool, new Map([['3.jpg', facts({ tags: { angle } })]]), { relabel, now });
    assert.equal((await say(30)).updated, 1);
    assert.deepEqual([(await say(30)).known, await pool.latestVersion()], [1, 2]);
    assert.equal((await say(45)).updated, 1);
    assert.equal((await say(30)).known, 1);
    assert.equal((await pool.readIndex(3))[2]?.angle, 45);
    assert.equal((await say(30, true)).updated, 1);
  });

  it('tell of training images that they join to the test set: no loop draws these', async () => {
    const pool = await somePool();
    const say = (name: string, more: Partial<ImageFacts>) =>
      tagImages(pool, new Map([[name, facts(more)]]), { relabel: false, now });
    assert.deepEqual((await say('a/1.jpg', { vehicleId: 'v1' })).notices, []);
    const moved = await say('c/3.jpg', { vehicleId: 'v1', split: 'test' });
    assert.deepEqual(
      moved.notices.map(({ notice, examples }) => [notice, examples]),
      [
        ['earlier training images that share a vehicle with test images of this file: no loop draws them', ['a/1.jpg']],
        // The images of this pool look alike.
        ['earlier training images that share a picture with test images of this file: no loop draws them', ['b/1.jpg']],
      ],
    );
    const joined = await say('b/1.jpg', { vehicleId: 'v1' });
    assert.deepEqual(
      joined.notices.map(({ notice, count, examples }) => [notice, count, examples]),
      [['training images of this file that share a vehicle with the test set: no loop draws them', 1, ['b/1.jpg']]],
    );
    assert.deepEqual((await say('b/1.jpg', { vehicleId: 'v1' })).notices, []);
  });
});

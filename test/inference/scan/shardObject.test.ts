import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { PartloopError } from '../../../domain/base/errors.js';
import { ANALYSIS_VERSION } from '../../../domain/scan/index.js';
import { isShardWhole, readShard, ShardWriter, shardKey } from '../../../inference/scan/shardObject.js';
import { flipped } from '../../support/pictures/flipped.js';
import { memoryStore } from '../../support/standIns/memoryStore.js';

const KEY = shardKey('loops/cars/1/plan/abc/plan.json', 7, 'f'.repeat(64));
const unreadable = { imageId: 'a'.repeat(64), analysis: null, error: 'a.jpg is cut off', model: 'f'.repeat(64) };

const isInvalid = (pattern: RegExp) => (error: unknown) =>
  error instanceof PartloopError && error.code === 'data-invalid' && pattern.test(error.message);

describe('the shards of a scan', () => {
  it('come back in the order of their places, in whatever order they were added, even if there is none', async () => {
    const entries = [0, 1, 2].map((n) => ({ ...unreadable, imageId: String(n).repeat(64) }));
    for (const order of [[], [0], [2, 0, 1]]) {
      const store = memoryStore();
      const writer = new ShardWriter();
      for (const at of order) writer.add(entries[at] ?? unreadable, at);
      assert.equal(writer.count, order.length);
      await writer.write(store, KEY);
      assert.deepEqual(await readShard(store, KEY), entries.slice(0, order.length));
    }
  });

  it('have a key that distinguishes versions of the analysis and models', () => {
    assert.equal(KEY, `loops/cars/1/plan/abc/shards/v${ANALYSIS_VERSION}-${'f'.repeat(16)}/7.json.gz`);
    assert.notEqual(KEY, shardKey('loops/cars/1/plan/abc/plan.json', 7, 'e'.repeat(64)));
  });

  it('never come back altered: each flipped bit is refused by name, or changes nothing', async () => {
    const writer = new ShardWriter();
    const entries = [0, 1, 2].map((n) => ({ ...unreadable, imageId: String(n).repeat(64), error: `${n} is cut off` }));
    for (const [at, entry] of entries.entries()) writer.add(entry, at);
    const store = memoryStore();
    await writer.write(store, KEY);
    const { body } = await store.get(KEY);
    let refused = 0;
    for (let bit = 0; bit < 8 * body.length; bit++) {
      await store.put(KEY, flipped(body, bit));
      const told: PartloopError[] = [];
      const isWhole = await isShardWhole(store, KEY, (error) => told.push(error));
      refused += told.length;
      if (isWhole) assert.deepEqual(await readShard(store, KEY), entries);
      else assert.ok(told[0]?.message.includes(KEY), told[0]?.message);
    }
    // The rest are bits of gzip's header, such as its time.
    assert.ok(refused > 0.5 * 8 * body.length, `${refused} of ${8 * body.length}`);
  });

  it('are named if they were cut short, at whatever byte', async () => {
    const writer = new ShardWriter();
    for (const at of [0, 1]) writer.add(unreadable, at);
    const store = memoryStore();
    await writer.write(store, KEY);
    const { body } = await store.get(KEY);
    for (let length = 0; length < body.length; length++) {
      await store.put(KEY, body.subarray(0, length));
      await assert.rejects(readShard(store, KEY), isInvalid(/7\.json\.gz/));
    }
  });

  it('are readable even if they are older than digests', async () => {
    const store = memoryStore();
    await store.put(KEY, gzipSync(JSON.stringify({ version: 1, entries: [unreadable] })));
    assert.deepEqual(await readShard(store, KEY), [unreadable]);
  });

  it('are an error with a way out if one is gone or of another version', async () => {
    const store = memoryStore();
    await assert.rejects(readShard(store, KEY), isInvalid(/judged by another version, or deleted/));
    const older = { ...unreadable, error: null, analysis: { version: ANALYSIS_VERSION - 1 } };
    await store.put(KEY, gzipSync(JSON.stringify({ version: 1, entries: [older] })));
    await assert.rejects(readShard(store, KEY), isInvalid(/not a shard of this version/));
  });
});

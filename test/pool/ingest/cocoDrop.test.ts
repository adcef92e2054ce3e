import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PartloopError } from '../../../domain/base/errors.js';
import { DROP_MARKER } from '../../../domain/ingest/drop.js';
import { keys } from '../../../storage/keys.js';
import { indexOf } from '../import/items.js';
import { keysUnder, POOL, photo, put, receiptOf, settle, storeWithPool } from './kit.js';

const SEEDS = [10, 11, 12];
const HEAD = '{"annotations": [';

/** A COCO file whose pictures each have one square, annotations first and from the last picture to the first. */
function coco(category: string): string {
  const images = SEEDS.map((id) => ({ id, file_name: `${id}.jpg`, width: 24, height: 16 }));
  const annotations = [...SEEDS].reverse().map((id) => ({
    ...{ id, image_id: id, category_id: 1 },
    segmentation: [[2, 2, 12, 2, 12, 10, 2, 10]],
  }));
  return JSON.stringify({ annotations, images, categories: [{ id: 1, name: category }] });
}

describe('the COCO file of a drop', function () {
  this.timeout(120_000);
  const usual = process.env.TMPDIR;
  let disk: string;

  beforeEach(async () => {
    disk = await mkdtemp(join(tmpdir(), 'pl-'));
    process.env.TMPDIR = disk;
  });
  afterEach(async () => {
    if (usual === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = usual;
    await rm(disk, { recursive: true, force: true });
  });

  async function sent(annotations: string) {
    const store = await storeWithPool();
    for (const seed of SEEDS) await put(store, 'd1', `images/${seed}.jpg`, await photo(seed));
    await put(store, 'd1', 'annotations.json', annotations);
    await put(store, 'd1', DROP_MARKER, '');
    return store;
  }

  it('is kept as it came, and leaves nothing on the disk of the worker', async () => {
    const store = await sent(coco('hood'));
    const { added, arrival } = await receiptOf(store, 'd1');
    assert.equal(added, SEEDS.length);
    const kept = await store.get(keys.received(POOL, arrival, 'annotations.json'));
    assert.equal(Buffer.from(kept.body).toString(), coco('hood'));
    assert.deepEqual(await readdir(disk), []);
  });

  it('leaves nothing there either if it is refused, or if the reading ends with a fault; the next try goes on', async () => {
    const refused = await receiptOf(await sent(HEAD), 'd1');
    assert.match(refused.reason ?? '', /annotations\.json is not JSON: line 1, column 18, at `its end`/);
    assert.deepEqual(await readdir(disk), []);

    const store = await sent(coco('hood'));
    const [last] = SEEDS.slice(-1);
    const faulty = { ...store, get: store.get };
    faulty.get = async (key, ...rest) => {
      if (key.endsWith(`/${last}.jpg`)) throw new PartloopError('store-unavailable', `${key} could not be read`);
      return store.get(key, ...rest);
    };
    await assert.rejects(settle(faulty, 'd1'), /could not be read/);
    assert.deepEqual(await readdir(disk), []);
    assert.equal((await receiptOf(store, 'd1')).added, SEEDS.length);
    assert.equal((await indexOf(store)).length, SEEDS.length + 2);
    assert.deepEqual(await readdir(disk), []);
  });

  it('is read again if it is written again meanwhile', async () => {
    const store = await sent(coco('hood'));
    let isMended = false;
    store.beforeWrite = async (key) => {
      if (isMended || !key.startsWith(keys.label(POOL, ''))) return;
      isMended = true;
      await put(store, 'd1', 'annotations.json', coco('wheel'));
    };
    const { arrival } = await receiptOf(store, 'd1');
    assert.ok(isMended);
    const kept = await store.get(keys.received(POOL, arrival, 'annotations.json'));
    assert.equal(Buffer.from(kept.body).toString(), coco('wheel'));
    const labels = (await indexOf(store)).filter(({ changeId }) => changeId === arrival).map(({ classes }) => classes);
    assert.deepEqual(labels, [[2], [2], [2]]);
    assert.deepEqual(await keysUnder(store, keys.inbox(POOL)), []);
  });
});

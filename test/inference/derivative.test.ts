import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import type { IndexRow } from '../../domain/tables.js';
import { readDerivative } from '../../inference/derivative.js';
import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { encodeLabel } from '../../storage/pictures/labelMask.js';
import { syncDataset } from '../../training/data/dataset.js';
import { chunkRow } from '../domain/sample/rows.js';
import { HEIGHT, picture, WIDTH } from '../support/pictures/pictureKinds.js';
import { memoryStore } from '../support/standIns/memoryStore.js';

const POOL = 'cars';
/** Less than the pictures have, so that copies are kept in the store. */
const SIDE = 45;

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** The row of a picture in the store, labelled with background. */
async function stored(store: ObjectStore, bytes: Buffer): Promise<IndexRow> {
  const label = await encodeLabel(new Uint8Array(WIDTH * HEIGHT), WIDTH, HEIGHT);
  const [imageId, labelSha256] = [sha256(bytes), sha256(label)];
  const [imageUri, labelUri] = [keys.image(POOL, imageId), keys.label(POOL, labelSha256)];
  await store.put(imageUri, bytes);
  await store.put(labelUri, label);
  return chunkRow(0, { width: WIDTH, height: HEIGHT, imageId, imageUri, labelSha256, labelUri });
}

const halfClear = (): Promise<Buffer> => picture().ensureAlpha(0.5).png().toBuffer();

describe('image copies that older versions made', () => {
  it('are made again if they keep transparency, or may have lost a profile', async () => {
    const store = memoryStore();
    const row = await stored(store, await halfClear());
    const key = keys.derivativeImage(POOL, SIDE, row.imageId);
    for (const old of [picture().ensureAlpha(0.5), picture()]) {
      await store.put(key, await old.resize(SIDE, 30).png().toBuffer());
      const { image } = await readDerivative(store, POOL, row, { maxSide: SIDE, classes: 254 });
      assert.equal((await sharp(image).metadata()).channels, 3);
      const { body } = await store.get(key);
      assert.ok(Buffer.from(body).equals(image));
    }
    store.read.length = 0;
    await readDerivative(store, POOL, row, { maxSide: SIDE, classes: 254 });
    assert.ok(!store.read.includes(row.imageUri), 'a copy of the present form is taken as it is');
  });

  it('are made again if they are unreadable', async () => {
    const store = memoryStore();
    const row = await stored(store, await picture().jpeg().toBuffer());
    const first = await readDerivative(store, POOL, row, { maxSide: SIDE, classes: 254 });
    const image = keys.derivativeImage(POOL, SIDE, row.imageId);
    const label = keys.derivativeLabel(POOL, SIDE, row.labelSha256);
    for (const key of [image, label]) {
      const { body } = await store.get(key);
      await store.put(key, body.subarray(0, 30));
      const again = await readDerivative(store, POOL, row, { maxSide: SIDE, classes: 254 });
      assert.ok(Buffer.from(again.image).equals(first.image) && Buffer.from(again.label).equals(first.label));
      assert.ok(Buffer.from((await store.get(key)).body).equals(body), key);
    }
  });

  it('are used unchanged if they are JPEG', async () => {
    const store = memoryStore();
    const row = await stored(store, await picture().withIccProfile('p3').jpeg().toBuffer());
    const old = await picture().resize(SIDE, 30).jpeg({ quality: 95, chromaSubsampling: '4:4:4' }).toBuffer();
    await store.put(keys.derivativeImage(POOL, SIDE, row.imageId), old);
    store.read.length = 0;
    const { image } = await readDerivative(store, POOL, row, { maxSide: SIDE, classes: 254 });
    assert.ok(old.equals(image));
    assert.deepEqual(
      store.read.filter((key) => key === row.imageUri),
      [],
    );
  });

  it('are the only ones made again on the disk of a training machine', async () => {
    const home = await mkdtemp(join(tmpdir(), 'pl-'));
    try {
      const store = memoryStore();
      const sources = [
        await picture().jpeg().toBuffer(),
        await picture().withIccProfile('p3').jpeg().toBuffer(),
        await halfClear(),
      ];
      const rows: IndexRow[] = [];
      for (const bytes of sources) rows.push(await stored(store, bytes));
      const sync = async (side: number): Promise<Buffer[]> => {
        const signal = new AbortController().signal;
        const options = { store, pool: POOL, home, side, classes: 255, signal, onProgress: () => undefined };
        await syncDataset(rows, options);
        return Promise.all(rows.map((row) => readFile(cached(row, side))));
      };
      const cached = (row: IndexRow, side: number): string =>
        join(home, 'cache', keys.derivativeImage(POOL, side, row.imageId));
      const fresh = await sync(WIDTH);
      // As they lay there before: the bytes of the sources.
      for (const [n, row] of rows.entries()) await writeFile(cached(row, WIDTH), sources[n] as Buffer);
      store.read.length = 0;
      assert.deepEqual(await sync(WIDTH), fresh);
      assert.deepEqual(
        rows.map((row) => store.read.includes(row.imageUri)),
        [false, true, true],
      );
    } finally {
      await rm(home, { recursive: true, force: true });
    }
  });
});

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import type { ChunkRow } from '../../../domain/tables.js';
import { type ScannedImage, scanRows } from '../../../inference/sessions/scanPipeline.js';
import { openSessions, type SessionPool } from '../../../inference/sessions/sessions.js';
import type { ObjectStore } from '../../../storage/objects/objectStore.js';
import { encodeLabel } from '../../../storage/pictures/labelMask.js';
import { chunkRow } from '../../domain/sample/rows.js';
import { hasPython, PYTHON, writeTinyModel } from '../../support/models/tinyModel.js';
import { TAXONOMY } from '../../support/pictures/pictures.js';
import { memoryStore } from '../../support/standIns/memoryStore.js';

const SIZE = 32;
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** A picture and its label in the store, as the index knows them. */
async function stored(store: ObjectStore, n: number): Promise<ChunkRow> {
  const image = await sharp({ create: { width: SIZE, height: SIZE, channels: 3, background: { r: 1, g: 255, b: n } } })
    .png()
    .toBuffer();
  const label = await encodeLabel(new Uint8Array(SIZE * SIZE).fill(1), SIZE, SIZE);
  const imageUri = `images/${n}`;
  await store.put(imageUri, image);
  await store.put('labels/1', label);
  const size = { width: SIZE, height: SIZE };
  return chunkRow(n, { imageId: sha256(image), imageUri, labelSha256: sha256(label), labelUri: 'labels/1', ...size });
}

describe('the scan of a shard', function () {
  this.timeout(120_000);
  let folder: string;
  let sessions: SessionPool;

  before(async function () {
    if (!hasPython) {
      console.log(`      skipped: ${PYTHON} is missing; npm run bootstrap installs it`);
      return this.skip();
    }
    folder = await mkdtemp(join(tmpdir(), 'pl-'));
    const modelPath = await writeTinyModel(join(folder, 'rule.onnx'), { size: SIZE });
    sessions = await openSessions(2, { modelPath, name: 'rule.onnx', threads: 1, taxonomy: TAXONOMY });
  });

  after(async () => {
    await sessions?.close();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  const scan = async (store: ObjectStore, rows: readonly ChunkRow[], abortAfter = Number.POSITIVE_INFINITY) => {
    const stop = new AbortController();
    const scanned: ScannedImage[] = [];
    let done = 0;
    const onScanned = (image: ScannedImage, index: number): void => {
      scanned[index] = image;
      if (++done >= abortAfter) stop.abort(new Error('stopped by a person'));
    };
    await scanRows({ store, pool: 'cars', rows, sessions, seed: 1, injectShare: 1, signal: stop.signal, onScanned });
    return scanned;
  };

  it('names unreadable images and judges the rest, with the place among the rows', async () => {
    const store = memoryStore();
    const rows = await Promise.all([1, 2, 3, 4, 5].map((n) => stored(store, n)));
    await store.put('images/2', 'changed since');
    await store.delete(['images/3']);
    rows[3] = { ...(rows[3] as ChunkRow), height: SIZE + 1 };
    const scanned = await scan(store, rows);
    assert.deepEqual(
      scanned.map(({ row }) => row.imageId),
      rows.map(({ imageId }) => imageId),
    );
    assert.deepEqual(
      scanned.map(({ analysis }) => analysis !== null),
      [true, false, false, false, true],
    );
    assert.match(scanned[1]?.error ?? '', /car-2\.jpg \(images\/2\) changed since it was imported/);
    assert.match(scanned[2]?.error ?? '', /images\/3/);
    assert.match(scanned[3]?.error ?? '', /label of car-4\.jpg is 32×32, the picture 32×33/);
  });

  it('ends with the reason of the abort, and its sessions can be used again', async () => {
    const store = memoryStore();
    const rows = await Promise.all(Array.from({ length: 30 }, (_, n) => stored(store, n)));
    await assert.rejects(scan(store, rows, 3), /stopped by a person/);
    assert.equal((await scan(store, rows.slice(0, 2))).length, 2);
  });
});

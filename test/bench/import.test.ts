import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cocoDataset, maskDrop } from '../../bench/import/dataset.js';
import { faultsOf, type ImportFigures, MOST_EVENTS, MOST_PAYLOAD } from '../../bench/import/faults.js';
import { poolFigures } from '../../bench/import/poolFigures.js';
import { largestBytes } from '../../bench/largestBytes.js';
import { ProcessWatch } from '../../bench/processes.js';
import { dsmlr18 } from '../../domain/taxonomies/dsmlr18.js';
import { readCoco } from '../../formats/coco/import.js';
import { readMaskManifest } from '../../formats/masks/import.js';
import { importImages } from '../../pool/import/importImages.js';
import { memoryStore } from '../support/standIns/memoryStore.js';

const IMAGES = 30;

describe('the benchmark of imports', function () {
  this.timeout(300_000);
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'partloop-bench-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const request = () => ({ folder, from: 0, count: IMAGES, taxonomy: dsmlr18, say: () => undefined });

  it('makes as many different images, which come in with the same labels from annotations and from masks', async () => {
    const { images: place, annotations } = await cocoDataset(request(), { withTest: true });
    const { manifest } = await maskDrop(request());
    const store = memoryStore();
    const options = { now: new Date(0), onProgress: () => undefined };
    const coco = readCoco({ place, annotations, taxonomy: dsmlr18, followLinks: false });
    const report = await importImages(store, 'cars', dsmlr18, coco, options);
    assert.deepEqual([report.added, report.refused], [IMAGES, []]);
    assert.ok(report.split.test > 0);
    const again = await importImages(store, 'cars', dsmlr18, readMaskManifest({ manifest }), options);
    assert.deepEqual([again.known, again.refused], [IMAGES, []]);
    assert.deepEqual(await poolFigures(store, 'cars', 0), {
      ...{ images: IMAGES, rows: IMAGES, segments: 1, pictures: IMAGES, labels: IMAGES, objects: 2 * IMAGES + 4 },
    });
  });

  it('keeps its images between runs', async () => {
    const { drop } = await maskDrop(request());
    const before = await stat(join(drop, '0', '7.jpg'));
    await rm(join(drop, 'manifest.jsonl'));
    const { manifest } = await maskDrop(request());
    assert.equal((await stat(join(drop, '0', '7.jpg'))).ino, before.ino);
    assert.equal((await readFile(manifest, 'utf8')).trim().split('\n').length, IMAGES);
  });

  const good: ImportFigures = {
    ...{ way: 'ingest', images: 10, killed: false, wallSeconds: 1, coreSeconds: 1, costs: [] },
    ...{ added: 10, known: 0, refused: 0 },
    pool: { images: 10, rows: 10, segments: 1, pictures: 10, labels: 10, objects: 24 },
    history: { events: 30, bytes: 5_000, largestPayload: 300 },
  };

  it('finds no fault in an import that brought each image once, also behind a kill', () => {
    assert.deepEqual(faultsOf(good), []);
    assert.deepEqual(faultsOf({ ...good, way: 'coco', killed: true, added: 4, known: 6, history: null }), []);
  });

  it('names whatever is lost, doubled or too large', () => {
    const { pool } = good;
    const wrong: [string, Partial<ImportFigures>][] = [
      ['9 added and 0 known', { added: 9 }],
      ['1 images were refused', { refused: 1 }],
      ['1 images were known before', { added: 9, known: 1 }],
      ['its receipt says that 1 images were known', { added: 9, known: 1, killed: true }],
      ['the pool has 9 images', { pool: { ...pool, images: 9 } }],
      ['the index has 11 rows', { pool: { ...pool, rows: 11 } }],
      ['the store has 9 pictures', { pool: { ...pool, pictures: 9 } }],
      ['the store has 12 labels', { pool: { ...pool, labels: 12 } }],
      [
        `its history has 2001 events, more than ${MOST_EVENTS}`,
        { history: { events: 2_001, bytes: 1, largestPayload: 1 } },
      ],
      [
        `a payload of its history has 65537 bytes, more than ${MOST_PAYLOAD}`,
        { history: { events: 1, bytes: 1, largestPayload: 65_537 } },
      ],
    ];
    for (const [words, change] of wrong) {
      const faults = faultsOf({ ...good, ...change });
      assert.ok(
        faults.some((fault) => fault.includes(words)),
        `${words}: ${faults.join('; ')}`,
      );
    }
  });

  it('finds the largest payload wherever it is', () => {
    assert.equal(largestBytes({ events: [{ a: new Uint8Array(3) }, { b: { c: [new Uint8Array(9)], d: null } }] }), 9);
    assert.equal(largestBytes({ events: [1, 'text', null] }), 0);
  });

  it('counts the time that a process uses while it is watched, and its memory', async function () {
    if (process.platform !== 'linux') this.skip();
    const watch = new ProcessWatch(() => [['this', process.pid]]);
    const start = process.cpuUsage();
    const used = (): number => {
      const { user, system } = process.cpuUsage(start);
      return user + system;
    };
    while (used() < 200_000);
    const [own, ...others] = watch.end();
    assert.ok(own !== undefined && own.process === 'this' && own.coreSeconds >= 0.1, JSON.stringify(own));
    assert.ok(own.peakMegabytes > 10);
    assert.deepEqual(others, []);
  });
});

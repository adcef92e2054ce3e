import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseTaxonomy } from '../../../domain/taxonomy.js';
import { readCoco } from '../../../formats/coco/import.js';
import { NO_CLASS_RULES } from '../../../formats/reading/classMatcher.js';
import { importImages } from '../../../pool/import/importImages.js';
import { importLabels } from '../../../pool/review/importLabels.js';
import { undoReview } from '../../../pool/review/undoReview.js';
import type { ObjectStore } from '../../../storage/objects/objectStore.js';
import { openPool } from '../../../storage/pool/pool.js';
import { memoryStore } from '../../support/standIns/memoryStore.js';
import { clock } from './desk.js';

const CASES = resolve(process.env.PARTLOOP_SHARED ?? resolve('..', 'shared', 'data'), '..', 'cases');

/** Real inputs that are not part of the repository: see its README. */
describe('labels that come back from real tools', function () {
  this.timeout(120_000);
  let folder: string;
  let now: () => Date;

  before(function () {
    if (existsSync(join(CASES, 'e0_scan_pool'))) return;
    console.log(`      skipped: no cases in ${CASES} (PARTLOOP_SHARED)`);
    this.skip();
  });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'partloop-cases-'));
    now = clock();
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  async function pool(name: string): Promise<ObjectStore> {
    const store = memoryStore();
    const taxonomy = parseTaxonomy(JSON.parse(await readFile(join(CASES, 'taxonomy.json'), 'utf8')), 'taxonomy.json');
    const [place, annotations] = ['images', 'annotations.json'].map((part) => join(CASES, 'e0_scan_pool', part));
    assert.ok(place !== undefined && annotations !== undefined);
    const entries = readCoco({
      ...{ place, annotations, taxonomy, empty: 'background', followLinks: false, classes: NO_CLASS_RULES },
    });
    await importImages(store, name, taxonomy, entries, {
      ...{ test: false, relabel: false, restore: false, onProgress: () => undefined, now: now() },
    });
    return store;
  }
  const labelsOf = async (store: ObjectStore, name: string) => {
    const history = await (await openPool(store, name)).history();
    return Object.fromEntries(history.images().map(({ imageId, labelSha256 }) => [imageId, labelSha256]));
  };
  const take = (store: ObjectStore, path: string, manifest: string, empty: 'deleted' | null = null) =>
    importLabels(store, {
      ...{ path, manifest, reviewer: null, unchanged: null, empty, fillHoles: false, now: now() },
      onProgress: () => undefined,
    });

  it('clear no label if the task was exported unfinished, and an undo restores labels cleared on purpose', async () => {
    const store = await pool('scanq');
    const before = await labelsOf(store, 'scanq');
    const place = join(CASES, 'r7_task_exported_before_it_was_done');
    const [path, manifest] = [join(place, 'instances_default.json'), join(place, 'manifest.json')];
    const report = await take(store, path, manifest);
    assert.deepEqual([report.empty.length, report.changed, report.missing, report.review], [55, 0, [], null]);
    assert.deepEqual(await labelsOf(store, 'scanq'), before);
    assert.equal((await take(store, path, manifest, 'deleted')).changed, 55);
    assert.equal((await undoReview(store, { pool: 'scanq', now: now() })).restored, 55);
    assert.deepEqual(await labelsOf(store, 'scanq'), before);
  });

  it('are refused by their kind if they are rectangles', async () => {
    const store = await pool('scanp');
    const before = await labelsOf(store, 'scanp');
    const place = join(CASES, 'r4_ls_rectangles_only');
    const path = join(place, 'project-1-at-2026.json');
    const report = await take(store, path, join(place, 'manifest.json'), 'deleted');
    assert.match(report.refused[0]?.reason ?? '', /a region of the kind rectanglelabels/);
    assert.deepEqual(await labelsOf(store, 'scanp'), before);
  });

  it('come back as COCO from CVAT, are known the second time, and go with an undo', async () => {
    const store = await pool('scanp');
    const before = await labelsOf(store, 'scanp');
    const place = join(CASES, 'r1_cvat_coco');
    const path = join(folder, 'instances_default.json');
    await writeFile(path, await readFile(join(place, 'annotations', 'instances_default.json'), 'utf8'));
    const report = await take(store, path, join(place, 'manifest.json'));
    assert.ok(report.changed > 0 && report.refused.length === 0, JSON.stringify(report.refused));
    assert.equal((await take(store, path, join(place, 'manifest.json'))).review, null);
    await undoReview(store, { pool: 'scanp', now: now() });
    assert.deepEqual(await labelsOf(store, 'scanp'), before);
  });
});

import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import sharp from 'sharp';
import { createDrawActivities } from '../../activities/draw.js';
import { createScanActivities } from '../../activities/scan.js';
import { createStandaloneScanActivities } from '../../activities/standaloneScan.js';
import { PartloopError } from '../../domain/base/errors.js';
import { type ScanJudge, scanRequestSchema } from '../../domain/messages.js';
import { countsText } from '../../domain/scan/counts.js';
import { leftOutOfScan } from '../../domain/scan/export.js';
import { scanPlanSchema } from '../../domain/scan/judge/plan.js';
import type { IterationContext, StepResult } from '../../domain/steps.js';
import { type ChunkRow, chunkRowSchema, type IndexRow, scanImageRowSchema } from '../../domain/tables.js';
import type { ActivityDeps } from '../../steps/deps.js';
import { digestOf } from '../../storage/digest.js';
import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { encodeLabel } from '../../storage/pictures/labelMask.js';
import { openPool } from '../../storage/pool/pool.js';
import { findScan, readMissing } from '../../storage/scans.js';
import { readJson } from '../../storage/tables/json.js';
import { readTable } from '../../storage/tables/table.js';
import { prepareTraining } from '../../training/prepare.js';
import { idOf, indexRow, TAXONOMY } from '../domain/sample/rows.js';
import { hasPython, writeSeer } from '../support/models/tinyModel.js';
import { startTestStore, type TestStore } from '../support/servers/s3.js';

const SIDE = { train: 12, val: 3, test: 5 } as const;
const WIDTH = 32;
const HEIGHT = 24;
const ROOT = process.cwd();
const sha = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

describe('a scan of one side of the split', function () {
  this.timeout(180_000);
  let s3: TestStore;
  let home: string;
  let network: Uint8Array;
  let store: ObjectStore;
  let deps: ActivityDeps;
  let rows: IndexRow[];

  before(async function () {
    if (!hasPython) {
      console.log('      skipped: no Python with onnx; run npm run bootstrap');
      this.skip();
    }
    home = await mkdtemp(join(tmpdir(), 'partloop-split-'));
    s3 = await startTestStore();
    network = await readFile(await writeSeer(join(home, 'seer.onnx'), 64, TAXONOMY.classes.length));
  });
  after(async () => {
    await s3?.stop();
    await rm(home, { recursive: true, force: true });
  });
  beforeEach(async () => {
    store = s3.open(randomUUID());
    deps = { store, home: join(home, randomUUID()), root: ROOT, log: pino({ level: 'silent' }) };
    rows = await filled();
  });

  it('judges the images asked for, and counts every other image of the pool with its reason', async () => {
    await putModel([]);
    const [gone, changed] = rows.filter((row) => row.split === 'train' && row.region === null) as [IndexRow, IndexRow];
    await store.delete([gone.imageUri]);
    await store.put(changed.imageUri, 'other bytes, found when it is read');
    const lostTest = rows.find((row) => row.split === 'test') as IndexRow;
    await store.delete([lostTest.labelUri]);
    const said: Record<string, string> = {};
    for (const split of ['train', 'val', 'test', 'all'] as const) {
      const name = `scan-${split}`;
      await scan(name, split);
      const found = await findScan(store, name);
      assert.ok(found.counts !== null);
      said[split] = countsText(found.counts);
      const { split: _, poolImages, ...parts } = found.counts;
      assert.equal(
        Object.values(parts).reduce((sum, part) => sum + part, 0),
        poolImages,
      );
      const images = await readTable(store, found.images, scanImageRowSchema);
      const leftOut = leftOutOfScan(rows, images, await readMissing(store, found), split);
      assert.equal(leftOut.length + found.counts.scanned, rows.length, 'each image once');
    }
    assert.deepEqual(said, {
      train:
        'scanned 9 of 20 images; not scanned: 3 in the validation split, 5 in the test split, 1 of a car interior, 1 missing or changed, 1 unreadable',
      val: 'scanned 3 of 20 images; not scanned: 12 in the training split, 5 in the test split',
      test: 'scanned 4 of 20 images; not scanned: 12 in the training split, 3 in the validation split, 1 missing or changed',
      all: 'scanned 16 of 20 images; not scanned: 1 of a car interior, 2 missing or changed, 1 unreadable',
    });
  });

  it('leaves images unjudged that the model saw, also by a copy or vehicle across the split', async () => {
    const [first, second, third] = rows.filter((row) => row.split === 'test') as [IndexRow, IndexRow, IndexRow];
    const copy = rows.find((row) => row.split === 'train' && row.region === null) as IndexRow;
    // As imported by hand: a training image that a test image is a near duplicate of, and one that shares its car.
    const moved = [
      { ...first, perceptualHash: copy.perceptualHash },
      { ...second, vehicleId: 'car-7' },
    ].map((row) => ({ ...row, labelRevision: row.labelRevision + 1 }));
    await (await openPool(store, 'cars')).append(() => moved);
    await putModel([
      { imageId: copy.imageId, vehicleId: null, cluster: copy.imageId },
      { imageId: idOf(99), vehicleId: 'car-7', cluster: idOf(99) },
      { imageId: third.imageId, vehicleId: null, cluster: third.imageId },
    ]);
    const { result } = await scan('scan-seen', 'all');
    const images = await readTable(store, result.outputs.images ?? '', scanImageRowSchema);
    const unjudged = images.filter(({ error }) => error?.startsWith('no model may judge it')).map((row) => row.imageId);
    assert.deepEqual(unjudged.sort(), [first, second, third, copy].map((row) => row.imageId).sort());
    assert.deepEqual([result.facts.scanned, result.facts.unjudged, result.facts.unreadable], [15, 4, 0]);
  });

  it('has folds of its own that also learn from the training images, and from nothing that they judge', async () => {
    for (const split of ['val', 'test', 'all'] as const) {
      const { context, draw, judge } = await prepared(`scan-folds-${split}`, { split, crossValidate: 2 });
      const { planKey, folds } = await createScanActivities(deps).planScan({ context, results: { draw }, judge });
      const plan = await readJson(store, planKey, scanPlanSchema);
      assert.equal(plan.split, split);
      assert.deepEqual(folds, [0, 1]);
      for (const { fold, trainingSet } of plan.folds) {
        const learns = await readTable(store, trainingSet, chunkRowSchema);
        const judged: ChunkRow[] = [];
        for (const shard of plan.shards) {
          const by = plan.judges[shard.judge];
          if (by?.kind === 'fold' && by.fold === fold)
            judged.push(...(await readTable(store, shard.rows, chunkRowSchema)));
        }
        assert.ok(judged.length > 0);
        const trained = learns.filter((row) => row.split === 'train').length;
        assert.ok(split === 'all' || trained === SIDE.train - 1, 'a small split is not all it learns from');
        const clusters = new Set(judged.map((row) => row.cluster));
        assert.ok(learns.every((row) => !clusters.has(row.cluster)));
        const { run } = await prepareTraining(deps, context, {
          ...{ seedParts: ['fold', fold], rows: learns, poolVersion: 1, config: context.config.train, warmStart: null },
          anySplit: true,
        });
        const learned = new Set(learns.map((row) => row.imageId));
        assert.ok(
          run.val.every((row) => !learned.has(row.imageId)),
          'it is not measured on what it learned',
        );
      }
      const loop = { ...context, loop: 'cars' };
      await assert.rejects(
        createScanActivities(deps).planScan({ context: loop, results: { draw } }),
        (error: unknown) => error instanceof PartloopError && error.code === 'leak-detected',
        'a loop never trains on such a draw',
      );
    }
  });

  it('says if there is no such image, and accepts a request that is older than the choice', async () => {
    const old = await createStandaloneScanActivities(deps).prepareScan({
      request: { pool: 'cars', crossValidate: 2 },
      scan: 'scan-old',
    });
    const draw = await createDrawActivities(deps).draw({ context: old.context, results: {} });
    assert.deepEqual([draw.facts.split, draw.facts.drawn], ['train', SIDE.train - 1]);
    await (await openPool(store, 'cars')).append(() =>
      rows
        .filter((row) => row.split === 'val')
        .map((row) => ({ ...row, labelRevision: row.labelRevision + 1, split: 'train' as const })),
    );
    await assert.rejects(
      prepared('scan-none', { split: 'val', crossValidate: 2 }),
      (error: unknown) =>
        error instanceof PartloopError &&
        /pool `cars` has 0 validation images, and 2 folds need at least 2/.test(error.message),
    );
  });

  async function prepared(name: string, fields: { split: 'train' | 'val' | 'test' | 'all'; crossValidate?: number }) {
    const { split, crossValidate } = fields;
    const model = crossValidate === undefined ? { model: { scan: 'seer.onnx', card: 'seer.json' } } : { crossValidate };
    const request = scanRequestSchema.parse({ pool: 'cars', split, seed: 1, settings, ...model });
    const { context, judge } = await createStandaloneScanActivities(deps).prepareScan({ request, scan: name });
    const draw = await createDrawActivities(deps).draw({ context, results: {}, split });
    return { context, judge, draw };
  }

  const settings = { scan: { sessions: 1, shardSize: 4 } };

  async function scan(name: string, split: 'train' | 'val' | 'test' | 'all'): Promise<{ result: StepResult }> {
    const { context, judge, draw } = await prepared(name, { split });
    const result = await judgeAll(context, draw, judge);
    await createStandaloneScanActivities(deps).recordScan({ context, draw, result });
    return { result };
  }

  async function judgeAll(context: IterationContext, draw: StepResult, judge: ScanJudge): Promise<StepResult> {
    const activities = createScanActivities(deps);
    const { planKey } = await activities.planScan({ context, results: { draw }, judge });
    const plan = await readJson(store, planKey, scanPlanSchema);
    for (const { shard } of plan.shards) await activities.scanShard({ context, planKey, folds: [], shard });
    return activities.reduceScan({ context, results: { draw }, planKey, folds: [], failedShards: [] });
  }

  async function putModel(images: { imageId: string; vehicleId: string | null; cluster: string }[]): Promise<void> {
    await store.put('seer.onnx', network);
    await store.put('list.json', JSON.stringify({ images }));
    const card = {
      version: 1,
      taxonomyDigest: digestOf(TAXONOMY),
      classes: ['background', 'hood', 'door', 'mirror'],
      input: { name: 'image', layout: 'NHWC', dtype: 'uint8', size: 64 },
      trainedOn: { list: 'list.json', digest: idOf(1) },
      valMiou: null,
      valClassIou: {},
      weightsSha256: idOf(2),
      files: { model: idOf(3), scan: sha(network) },
      preset: 'given',
      imageSize: 64,
      iterations: 1,
    };
    await store.put('seer.json', JSON.stringify(card));
  }

  /**
   * Pictures whose left half is red and labelled as class 1, as the network predicts. One image is interior.
   */
  async function filled(): Promise<IndexRow[]> {
    await store.put(keys.taxonomy('cars'), JSON.stringify(TAXONOMY));
    const all: IndexRow[] = [];
    const sides = Object.entries(SIDE).flatMap(([side, count]) => Array.from({ length: count }, () => side));
    for (const [n, split] of sides.entries()) {
      const red = (at: number): boolean => at % 3 === 0 && Math.floor(at / 3) % WIDTH < WIDTH / 2;
      const rgb = Uint8Array.from({ length: WIDTH * HEIGHT * 3 }, (_, at) => (red(at) ? 250 : n));
      const image = await sharp(rgb, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } })
        .png()
        .toBuffer();
      const mask = await encodeLabel(
        Uint8Array.from({ length: WIDTH * HEIGHT }, (_, at) => (at % WIDTH < WIDTH / 2 ? 1 : 0)),
        WIDTH,
        HEIGHT,
      );
      const row = indexRow(n, {
        imageId: sha(image),
        imageUri: keys.image('cars', sha(image)),
        labelSha256: sha(mask),
        labelUri: `${keys.label('cars', sha(mask))}-${n}`,
        split: split === 'val' ? 'val' : split === 'test' ? 'test' : 'train',
        region: n === 0 ? 'interior' : null,
        width: WIDTH,
        height: HEIGHT,
        classes: [1],
      });
      await store.put(row.imageUri, image);
      await store.put(row.labelUri, mask);
      all.push(row);
    }
    await (await openPool(store, 'cars')).append(() => all);
    return all.sort((a, b) => (a.imageId < b.imageId ? -1 : 1));
  }
});

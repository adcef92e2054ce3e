import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { createDrawActivities } from '../../activities/draw.js';
import { createSampleActivities } from '../../activities/sample.js';
import { planScan } from '../../activities/scanPlan.js';
import { createStandaloneScanActivities } from '../../activities/standaloneScan.js';
import { loopConfigSchema } from '../../domain/config.js';
import type { DrawResult } from '../../domain/draw/step.js';
import { evaluateStep } from '../../domain/evaluate/step.js';
import { scanPlanSchema } from '../../domain/scan/judge/plan.js';
import type { ScanResult } from '../../domain/scan/step.js';
import type { IterationContext } from '../../domain/steps.js';
import {
  chunkRowSchema,
  evaluationRowSchema,
  findingRowSchema,
  type IndexRow,
  scanImageRowSchema,
  trainingRowSchema,
} from '../../domain/tables.js';
import { evaluateModel } from '../../inference/evaluation/evaluateModel.js';
import { removeImages, restoreImages } from '../../pool/remove/removeImages.js';
import { chooseImages } from '../../pool/review/choose.js';
import type { ActivityDeps } from '../../steps/deps.js';
import { digestOf } from '../../storage/digest.js';
import { keys } from '../../storage/keys.js';
import { openPool, type Pool } from '../../storage/pool/pool.js';
import { readJson } from '../../storage/tables/json.js';
import { readTable, writeTable } from '../../storage/tables/table.js';
import { prepareTraining } from '../../training/prepare.js';
import { idOf, indexRow, scanRow, TAXONOMY } from '../domain/sample/rows.js';
import { ROOT } from '../support/binaries.js';
import { memoryStore } from '../support/standIns/memoryStore.js';
import { stepResult } from '../support/standIns/stepResult.js';

const NOW = new Date('2026-02-01T00:00:00Z');
const HOME = mkdtempSync(join(tmpdir(), 'pl-removed-'));
after(() => rmSync(HOME, { recursive: true, force: true }));

type Store = ReturnType<typeof memoryStore>;
interface Filled {
  store: Store;
  deps: ActivityDeps;
  pool: Pool;
  remove(...numbers: number[]): Promise<void>;
}

/** Images 1 to 12 train, 13 and 14 validate, 15 and 16 test. */
async function filled(): Promise<Filled> {
  const store = memoryStore();
  await store.put(keys.taxonomy('cars'), JSON.stringify(TAXONOMY));
  const rows = Array.from({ length: 16 }, (_, at) =>
    indexRow(at + 1, { split: at < 12 ? 'train' : at < 14 ? 'val' : 'test', labelRevision: 0 }),
  );
  for (const row of rows) {
    await store.put(row.imageUri, 'picture');
    await store.put(row.labelUri, 'label');
  }
  const pool = await openPool(store, 'cars');
  await pool.append(() => rows);
  const deps = { store, home: HOME, root: ROOT, log: pino({ level: 'silent' }) };
  const remove = async (...numbers: number[]): Promise<void> => {
    await removeImages(pool, numbers.map(idOf), { purge: false, now: NOW });
  };
  return { store, deps, pool, remove };
}

const context = (fields: Partial<IterationContext> = {}): IterationContext => ({
  loop: 'cars',
  iteration: 1,
  config: loopConfigSchema.parse({ pool: 'cars', chunkSize: 20, sample: { share: 1 }, scan: { folds: 2 } }),
  previous: null,
  force: null,
  ...fields,
});

const idsOf = (rows: readonly { imageId: string }[]): number[] =>
  rows.map(({ imageId }) => Number.parseInt(imageId, 16)).sort((a, b) => a - b);

const upTo = (last: number, without: readonly number[] = []): number[] =>
  Array.from({ length: last }, (_, at) => at + 1).filter((number) => !without.includes(number));

async function chunkOf({ store }: Filled, draw: DrawResult): Promise<number[]> {
  return idsOf(await readTable(store, draw.outputs.chunk ?? '', chunkRowSchema));
}

/** A scan that finds nothing. */
async function cleanScan({ store }: Filled, draw: DrawResult): Promise<ScanResult> {
  const chunk = await readTable(store, draw.outputs.chunk ?? '', chunkRowSchema);
  const outputs = { images: `${draw.digest}/images`, findings: `${draw.digest}/findings` };
  const rows = chunk.map((row) => ({ ...scanRow(1), imageId: row.imageId, labelSha256: row.labelSha256 }));
  await writeTable(store, outputs.images, rows, scanImageRowSchema);
  await writeTable(store, outputs.findings, [], findingRowSchema);
  return stepResult('scan', outputs);
}

/** An iteration up to its training set. */
async function iterate(pool: Filled, one: IterationContext, drawn?: DrawResult) {
  const draw = drawn ?? (await createDrawActivities(pool.deps).draw({ context: one, results: {} }));
  const scan = await cleanScan(pool, draw);
  const sample = await createSampleActivities(pool.deps).sample({ context: one, results: { draw, scan } });
  const rows = await readTable(pool.store, sample.outputs.trainingSet ?? '', trainingRowSchema);
  return {
    draw,
    scan,
    sample,
    rows,
    next: { draw, scan, sample, train: stepResult('train'), evaluate: stepResult('evaluate') },
  };
}

describe('images that were removed from a pool', function () {
  this.timeout(60_000);

  it('are neither drawn nor scanned on their own', async () => {
    const pool = await filled();
    await pool.remove(2, 3);
    const draw = await createDrawActivities(pool.deps).draw({ context: context(), results: {} });
    assert.deepEqual(await chunkOf(pool, draw), upTo(12, [2, 3]));
    const prepared = await createStandaloneScanActivities(pool.deps).prepareScan({
      request: { pool: 'cars', crossValidate: 2 },
      scan: 'scan-1',
    });
    assert.equal(prepared.context.config.chunkSize, 10);
  });

  it('leave the training set with the next iteration, while the current one ends as it began', async () => {
    const pool = await filled();
    const one = context({ config: loopConfigSchema.parse({ pool: 'cars', chunkSize: 10, sample: { share: 1 } }) });
    const draw = await createDrawActivities(pool.deps).draw({ context: one, results: {} });
    const drawn = await chunkOf(pool, draw);
    const [gone = 0] = drawn;
    await pool.remove(gone);
    const first = await iterate(pool, one, draw);
    assert.deepEqual(idsOf(first.rows), drawn);
    const second = await iterate(pool, { ...one, iteration: 2, previous: first.next });
    assert.deepEqual(idsOf(second.rows), upTo(12, [gone]));
    assert.equal(second.sample.facts.takenOut, 1);
  });

  it('train no judge of a scan', async () => {
    const pool = await filled();
    const one = context({
      config: loopConfigSchema.parse({ pool: 'cars', chunkSize: 6, sample: { share: 1 }, scan: { folds: 2 } }),
    });
    const first = await iterate(pool, one);
    const [gone = 0] = idsOf(first.rows);
    await pool.remove(gone);
    const two = { ...one, iteration: 2, previous: first.next };
    const draw = await createDrawActivities(pool.deps).draw({ context: two, results: {} });
    const { planKey } = await planScan(pool.deps, two, { draw }, { kind: 'cross-validation' });
    const plan = await readJson(pool.store, planKey, scanPlanSchema);
    assert.equal(plan.folds.length, 2);
    for (const { trainingSet } of plan.folds) {
      const trainedOn = idsOf(await readTable(pool.store, trainingSet, chunkRowSchema));
      assert.equal(trainedOn.includes(gone), false);
      assert.ok(idsOf(first.rows).some((number) => trainedOn.includes(number)));
    }
  });

  it('are drawn again by a loop if they come back after an iteration without them', async () => {
    const pool = await filled();
    const first = await iterate(pool, context());
    await pool.remove(5);
    await pool.pool.append(() => [indexRow(20, { labelRevision: 0 })]);
    for (const uri of [indexRow(20).imageUri, indexRow(20).labelUri]) await pool.store.put(uri, 'x');
    const second = await iterate(pool, context({ iteration: 2, previous: first.next }));
    assert.equal(idsOf(second.rows).includes(5), false);
    await restoreImages(pool.pool, [idOf(5)], NOW);
    const third = await iterate(pool, context({ iteration: 3, previous: second.next }));
    assert.deepEqual(await chunkOf(pool, third.draw), [5]);
    assert.equal(idsOf(third.rows).includes(5), true);
  });

  it('validate no model', async () => {
    const pool = await filled();
    const rows = (await pool.pool.readIndex(1)).slice(0, 4).map((row) => ({ ...row, cluster: row.imageId }));
    const prepare = async (poolVersion: number) => {
      const { config } = context();
      const plan = { seedParts: [], rows, poolVersion, config: config.train, warmStart: null };
      return idsOf((await prepareTraining(pool.deps, context(), plan)).run.val);
    };
    await pool.remove(13);
    assert.deepEqual([await prepare(1), await prepare(2)], [[13, 14], [14]]);
  });

  it('test no model, and make the test set another version', async () => {
    const pool = await filled();
    await pool.remove(15);
    const versions: string[] = [];
    for (const poolVersion of [1, 2]) {
      const { config } = context();
      const test = (await pool.pool.readIndex(poolVersion)).filter(({ split }) => split === 'test');
      // Scored already, so that no network has to run.
      const expected = digestOf(test.map((row: IndexRow) => `${row.imageId} ${row.labelSha256}`));
      const place = keys.evaluation(idOf(9), expected, config.evaluationSize, evaluateStep.version);
      await writeTable(pool.store, `${place}images.parquet`, [], evaluationRowSchema);
      await pool.store.put(`${place}summary.json`, '{}');
      const { testVersion } = await evaluateModel(pool.deps, {
        ...{ pool: 'cars', poolVersion, scanKey: 'x', modelDigest: idOf(9), size: config.evaluationSize, config },
        signal: new AbortController().signal,
      });
      assert.equal(testVersion, expected);
      versions.push(testVersion);
    }
    assert.notEqual(versions[0], versions[1]);
  });

  it('go to no reviewer', async () => {
    const pool = await filled();
    const scanned = [1, 2].map((number) => scanRow(number, { auditChance: 1 }));
    await pool.remove(1);
    const index = new Map((await pool.pool.readIndex(2)).map((row) => [row.imageId, row]));
    const { images, leftOut } = chooseImages(scanned, [], index, TAXONOMY, {
      ...{ format: 'coco', allClasses: true, allImages: true, imageRoot: null, storeUri: 's3://x' },
    });
    assert.deepEqual([images.length, leftOut[0]?.reason], [1, 'the pool no longer lists it']);
  });
});

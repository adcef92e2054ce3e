import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import sharp from 'sharp';
import { createDecideActivities } from '../../activities/decide.js';
import { createEvaluateActivities } from '../../activities/evaluate.js';
import { PartloopError } from '../../domain/base/errors.js';
import { loopConfigSchema } from '../../domain/config.js';
import { decisionSchema, type RegisteredModel } from '../../domain/decide/decision.js';
import { evaluationSummarySchema, summariseEvaluation } from '../../domain/evaluate/summary.js';
import type { IterationContext, StepResult } from '../../domain/steps.js';
import { evaluationRowSchema, type IndexRow, trainingRowSchema } from '../../domain/tables.js';
import { evaluateModel } from '../../inference/evaluation/evaluateModel.js';
import type { ActivityDeps } from '../../steps/deps.js';
import { digestOf } from '../../storage/digest.js';
import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { encodeLabel } from '../../storage/pictures/labelMask.js';
import { openPool } from '../../storage/pool/pool.js';
import { registerBenchmark } from '../../storage/registry.js';
import { readJson } from '../../storage/tables/json.js';
import { readTable, writeTable } from '../../storage/tables/table.js';
import { indexRow, TAXONOMY } from '../domain/sample/rows.js';
import { hasPython, writeSeer } from '../support/models/tinyModel.js';
import { flipped } from '../support/pictures/flipped.js';
import { startTestStore, type TestStore } from '../support/servers/s3.js';
import { stepResult } from '../support/standIns/stepResult.js';
import { trainedCard } from './results.js';

const IMAGES = 12;
const WIDTH = 32;
const HEIGHT = 24;
const sha = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

describe('bad test images', function () {
  this.timeout(120_000);
  let s3: TestStore;
  let home: string;
  let networks: Uint8Array[];

  before(async function () {
    if (!hasPython) {
      console.log('      skipped: no Python with onnx; run npm run bootstrap');
      this.skip();
    }
    home = await mkdtemp(join(tmpdir(), 'partloop-evaluate-'));
    s3 = await startTestStore();
    const paths = [join(home, 'one.onnx'), join(home, 'two.onnx')];
    await writeSeer(paths[0] as string, 64, TAXONOMY.classes.length);
    await writeSeer(paths[1] as string, 96, TAXONOMY.classes.length);
    networks = await Promise.all(paths.map((path) => readFile(path)));
  });
  after(async () => {
    await s3?.stop();
    await rm(home, { recursive: true, force: true });
  });

  it('are left out of the score with their reasons, and judged as soon as they are back', async () => {
    const { deps, store, rows, model } = await filled();
    const [gone, changed] = rows as [IndexRow, IndexRow];
    const body = (await store.get(gone.imageUri)).body;
    await store.delete([gone.imageUri]);
    await store.put(changed.labelUri, 'no label at all');
    const first = await evaluateModel(deps, request(model(0)));
    assert.deepEqual(
      first.leftOut.map(({ fileName, kind }) => `${fileName} ${kind}`).sort(),
      [`${gone.fileName} gone`, `${changed.fileName} changed`].sort(),
    );
    const summary = await readJson(store, first.summary, evaluationSummarySchema);
    assert.deepEqual([summary.images, summary.leftOut], [IMAGES - 2, first.leftOut]);
    assert.equal(summary.miou, 1);
    assert.ok(summary.calibrationError !== null && summary.calibrationError < 0.01, 'sure, and right');
    assert.equal(summary.classes[1]?.calibrationError, null, 'nothing is predicted as the second class');
    assert.deepEqual(await evaluateModel(deps, request(model(0))), first, 'nothing changed: found done');

    await store.put(gone.imageUri, body);
    const second = await evaluateModel(deps, request(model(0)));
    assert.deepEqual([second.leftOut.length, second.testVersion], [1, first.testVersion]);
    await store.put(changed.labelUri, await label());
    const whole = await evaluateModel(deps, request(model(0)));
    assert.deepEqual(whole.leftOut, []);
    const judged = await readTable(store, whole.images, evaluationRowSchema);
    assert.deepEqual(
      judged.map(({ imageId }) => imageId),
      rows.map(({ imageId }) => imageId),
    );
  });

  it('end the evaluation above the share, while a store that is away counts as no bad image', async () => {
    const { deps, store, rows, model } = await filled();
    const away: ObjectStore = Object.assign(Object.create(store), {
      get: async (key: string, etag?: string) => {
        if (key === rows[0]?.imageUri) throw new PartloopError('store-unavailable', 'the store did not answer');
        return store.get(key, etag);
      },
    });
    await assert.rejects(
      evaluateModel({ ...deps, store: away }, request(model(0))),
      (error: unknown) => error instanceof PartloopError && error.code === 'store-unavailable',
    );
    await store.delete(rows.slice(0, 4).map((row) => row.imageUri));
    await assert.rejects(
      evaluateModel(deps, request(model(0))),
      (error: unknown) =>
        error instanceof PartloopError &&
        /^4 of 12 test images of pool `cars` cannot be used \(4 gone\), 3 may be left out/.test(error.message) &&
        /partloop pool remove cars/.test(error.hint ?? ''),
    );
  });

  it('count for neither model of a decision, which says how many it left out and why', async () => {
    const { deps, store, rows, model } = await filled();
    const benchmark = model(1);
    const scored = await evaluateModel(deps, request(benchmark));
    assert.deepEqual(scored.leftOut, []);
    const rival: RegisteredModel = { ...benchmark, card: 'one.json', loop: 'cars', iteration: null };
    await registerBenchmark(store, digestOf(TAXONOMY), rival, 'baseline');
    await store.delete([(rows[3] as IndexRow).imageUri]);

    const context: IterationContext = { loop: 'cars', iteration: 1, config, previous: null, force: null };
    await store.put('card.json', JSON.stringify(trainedCard(64, model(0).digest)));
    await writeTable(store, 'set.parquet', [], trainingRowSchema);
    const results: Record<string, StepResult> = {
      draw: stepResult('draw', {}, { poolVersion: 1 }),
      sample: stepResult('sample', { trainingSet: 'set.parquet' }),
      train: stepResult('train', { scan: model(0).scan, card: 'card.json' }),
    };
    const evaluate = await createEvaluateActivities(deps).evaluate({ context, results });
    assert.deepEqual(
      [evaluate.facts.images, evaluate.facts.leftOut, evaluate.facts.leftOutWhy, evaluate.facts.testVersion],
      [IMAGES - 1, 1, '1 gone', scored.testVersion],
    );
    const decided = await createDecideActivities(deps).decide({ context, results: { ...results, evaluate } });
    assert.deepEqual([decided.facts.images, decided.facts.leftOut], [IMAGES - 1, 1]);
    const decision = await readJson(store, decided.outputs.decision ?? '', decisionSchema);
    assert.equal(decision.leftOut[0]?.fileName, rows[3]?.fileName);
    assert.ok(decision.reasons.includes('compared on 11 of 12 test images; left out: 1 gone'), decision.reasons.join());
  });

  it('are read from older tables too, which have no counts of probabilities', async () => {
    const { deps, store, model } = await filled();
    const rows = await readTable(store, (await evaluateModel(deps, request(model(0)))).images, evaluationRowSchema);
    assert.ok(rows.every(({ calibration }) => calibration !== null));
    const older = evaluationRowSchema.omit({ calibration: true });
    await writeTable(store, 'older.parquet', rows, older);
    const read = await readTable(store, 'older.parquet', evaluationRowSchema);
    assert.deepEqual(
      read,
      rows.map((row) => ({ ...row, calibration: null })),
    );
    assert.equal(summariseEvaluation(read, TAXONOMY).calibrationError, null);
  });

  it('are judged again if their record is damaged, and the warning names it', async () => {
    const { deps, store, model } = await filled();
    const warned: string[] = [];
    const log = pino({ level: 'warn' }, { write: (line) => warned.push(line) });
    const first = await evaluateModel({ ...deps, log }, request(model(0)));
    const { body } = await store.get(first.images);
    await store.put(first.images, flipped(body, 4_000));
    await assert.rejects(store.get(first.images), /is damaged.*sha256/);
    const second = await evaluateModel({ ...deps, log }, request(model(0)));
    assert.notEqual(second.images, first.images);
    assert.deepEqual(await rowsOf(second.images), await tableOf(body));
    assert.equal(warned.length, 1);
    assert.ok(warned[0]?.includes(first.images), warned[0]);
    assert.deepEqual(await evaluateModel({ ...deps, log }, request(model(0))), second, 'the new one is found');

    for (const damaged of [second.summary, second.images.replace(/[^/]*$/, 'commit.json')]) {
      const now = await evaluateModel({ ...deps, log }, request(model(0)));
      await store.put(now.images.replace(/[^/]*$/, damaged.replace(/.*\//, '')), '{"version": 1, "leftOut": [');
      const made = await evaluateModel({ ...deps, log }, request(model(0)));
      assert.deepEqual(await rowsOf(made.images), await tableOf(body));
    }

    async function rowsOf(key: string) {
      return readTable(store, key, evaluationRowSchema);
    }
    async function tableOf(bytes: Uint8Array) {
      await store.put('first.parquet', bytes);
      return rowsOf('first.parquet');
    }
  });

  it('are judged again by a replay from `evaluate`, also for the production model, but not from `decide`', async () => {
    const { deps, store, model } = await filled();
    const benchmark = model(1);
    const kept = await evaluateModel(deps, request(benchmark));
    const rival: RegisteredModel = { ...benchmark, card: 'one.json', loop: 'cars', iteration: null };
    await registerBenchmark(store, digestOf(TAXONOMY), rival, 'baseline');
    await store.put('card.json', JSON.stringify(trainedCard(64, model(0).digest)));
    await writeTable(store, 'set.parquet', [], trainingRowSchema);
    const results: Record<string, StepResult> = {
      draw: stepResult('draw', {}, { poolVersion: 1 }),
      sample: stepResult('sample', { trainingSet: 'set.parquet' }),
      train: stepResult('train', { scan: model(0).scan, card: 'card.json' }),
    };
    const run = async (from: 'evaluate' | 'decide' | null) => {
      const force = from === null ? null : { from, token: `again-${from}` };
      const context: IterationContext = { loop: 'cars', iteration: 1, config, previous: null, force };
      const evaluate = await createEvaluateActivities(deps).evaluate({ context, results });
      const decide = await createDecideActivities(deps).decide({ context, results: { ...results, evaluate } });
      return { candidate: evaluate.outputs.images, benchmark: decide.outputs.benchmarkImages };
    };
    const first = await run(null);
    assert.equal(first.benchmark, kept.images);
    assert.deepEqual(await run('decide'), first);
    const again = await run('evaluate');
    assert.notEqual(again.candidate, first.candidate);
    assert.notEqual(again.benchmark, first.benchmark);
  });

  const config = loopConfigSchema.parse({
    pool: 'cars',
    evaluationSize: 64,
    scan: { sessions: 1 },
    gate: { minUnits: 2 },
  });

  const request = (model: { scan: string; digest: string }) => ({
    pool: 'cars',
    poolVersion: 1,
    scanKey: model.scan,
    modelDigest: model.digest,
    size: 64,
    config,
    signal: new AbortController().signal,
  });

  const label = (): Promise<Buffer> =>
    encodeLabel(
      Uint8Array.from({ length: WIDTH * HEIGHT }, (_, at) => (at % WIDTH < WIDTH / 2 ? 1 : 0)),
      WIDTH,
      HEIGHT,
    );

  /** Test pictures whose left half is red, and labelled as class 1: which the networks recognise. */
  async function filled() {
    const store = s3.open(randomUUID());
    await store.put(keys.taxonomy('cars'), JSON.stringify(TAXONOMY));
    const rows: IndexRow[] = [];
    for (let n = 0; n < IMAGES; n++) {
      const rgb = Uint8Array.from({ length: WIDTH * HEIGHT * 3 }, (_, at) =>
        at % 3 === 0 && Math.floor(at / 3) % WIDTH < WIDTH / 2 ? 250 : n,
      );
      const image = await sharp(rgb, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } })
        .png()
        .toBuffer();
      const mask = await label();
      const row = indexRow(n, {
        imageId: sha(image),
        imageUri: keys.image('cars', sha(image)),
        labelSha256: sha(mask),
        // One label object per image, so that one can change alone.
        labelUri: `${keys.label('cars', sha(mask))}-${n}`,
        split: 'test',
        width: WIDTH,
        height: HEIGHT,
        classes: [1],
      });
      await store.put(row.imageUri, image);
      await store.put(row.labelUri, mask);
      rows.push(row);
    }
    await (await openPool(store, 'cars')).append(() => rows);
    for (const [n, bytes] of networks.entries()) await store.put(`models/${n}.onnx`, bytes);
    const model = (n: number) => ({ scan: `models/${n}.onnx`, digest: sha(networks[n] as Uint8Array) });
    const deps: ActivityDeps = { store, home: join(home, randomUUID()), root: '.', log: pino({ level: 'silent' }) };
    return { deps, store, rows: rows.sort((a, b) => (a.imageId < b.imageId ? -1 : 1)), model };
  }
});

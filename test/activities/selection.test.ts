import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { createDecideActivities } from '../../activities/decide.js';
import { createDrawActivities } from '../../activities/draw.js';
import { createLoopActivities } from '../../activities/loop.js';
import { createReportActivities } from '../../activities/report.js';
import { createSampleActivities } from '../../activities/sample.js';
import { PartloopError } from '../../domain/base/errors.js';
import { type LoopConfig, loopConfigSchema } from '../../domain/config.js';
import type { DrawResult } from '../../domain/draw/step.js';
import { withAttempt } from '../../domain/loop/state.js';
import { neededBy } from '../../domain/stepContract.js';
import type { IterationContext, StepResults } from '../../domain/steps.js';
import { chunkRowSchema, trainingRowSchema } from '../../domain/tables.js';
import { readImageList } from '../../pool/remove/imageList.js';
import { digestOf } from '../../storage/digest.js';
import { updateLoopState } from '../../storage/loopState.js';
import { readRegistry, registerBenchmark } from '../../storage/registry.js';
import { readTable } from '../../storage/tables/table.js';
import { idOf, TAXONOMY } from '../domain/sample/rows.js';
import { stepResult } from '../support/standIns/stepResult.js';
import { context, fakeModel, fakeScan, filledPool, scoredBefore } from './storedIteration.js';

const HOME = mkdtempSync(join(tmpdir(), 'partloop-selection-'));
after(() => rmSync(HOME, { recursive: true, force: true }));

describe('the steps draw, sample, decide and report on a store', () => {
  it('complete an iteration, then find their work done, and never read a test image', async () => {
    const { store, deps, rows } = await filledPool(HOME, 20);
    const results: StepResults = {};
    results.draw = await createDrawActivities(deps).draw({ context: context(), results });
    assert.deepEqual(
      [results.draw.facts.drawn, results.draw.facts.remaining, results.draw.facts.testImages],
      [12, 8, 2],
    );
    results.scan = await fakeScan(store, results.draw);
    results.sample = await createSampleActivities(deps).sample({ context: context(), results });
    assert.equal(results.sample.facts.sampled, 6);
    const trainingSet = await readTable(store, results.sample.outputs.trainingSet ?? '', trainingRowSchema);
    assert.equal(trainingSet.length, 6);

    Object.assign(results, await fakeModel(store, rows));
    results.decide = await createDecideActivities(deps).decide({ context: context(), results });
    assert.deepEqual([results.decide.facts.gate, results.decide.facts.promoted], ['first', true]);
    assert.equal((await readRegistry(store, digestOf(TAXONOMY))).model?.iteration, 1);
    const again = await createDecideActivities(deps).decide({ context: context(), results });
    assert.deepEqual([again.outcome, again.digest], ['hit', results.decide.digest]);
    assert.equal((await readRegistry(store, digestOf(TAXONOMY))).history.length, 1);

    results.report = await createReportActivities(deps).report({ context: context(), results });
    const html = new TextDecoder().decode((await store.get(results.report.outputs.report ?? '')).body);
    assert.match(html, /missing part/);
    assert.match(html, /a rule fell silent/);
    assert.match(html, /data:image\/webp/);
    const testObjects = new Set(rows.filter((row) => row.split === 'test').map((row) => row.imageUri));
    assert.deepEqual(
      store.read.filter((key) => testObjects.has(key)),
      [],
    );
    assert.equal((await createDrawActivities(deps).draw({ context: context(), results: {} })).outcome, 'hit');
  });

  it('sample by need with settings of an older record, and refuse a focus on classes that the pool does not have', async () => {
    const { store, deps } = await filledPool(HOME, 20);
    const results: StepResults = {};
    results.draw = await createDrawActivities(deps).draw({ context: context(), results });
    results.scan = await fakeScan(store, results.draw);
    const { config } = context();
    const { policy: _, focus: __, ...older } = config.sample;
    // The input of an activity comes from a history of that time, which nobody parses again.
    const recorded = { ...config, sample: older } as LoopConfig;
    const { facts } = await createSampleActivities(deps).sample({ context: context({ config: recorded }), results });
    assert.equal(facts.sampled, 6);

    const focused = { ...config, sample: { ...config.sample, focus: [{ tags: {}, classes: ['doors'], factor: 2 }] } };
    const request = { loop: 'cars', iteration: 1, config: focused, from: undefined };
    // Nothing here reaches Temporal.
    const client = new Client({ connection: Connection.lazy() });
    await assert.rejects(
      createLoopActivities({ ...deps, client }).prepareIteration(request),
      /`sample\.focus\.0\.classes`.*no class `doors`; did you mean `door`/,
    );
  });

  it('promote a better candidate once, and compare a repeated decision with the same benchmark', async () => {
    const { store, deps, rows } = await filledPool(HOME, 20);
    const results: StepResults = {};
    results.draw = await createDrawActivities(deps).draw({ context: context(), results });
    results.scan = await fakeScan(store, results.draw);
    results.sample = await createSampleActivities(deps).sample({ context: context(), results });
    Object.assign(results, await fakeModel(store, rows));
    const rival = { scan: 'rival.onnx', card: 'rival.json', digest: idOf(77), loop: 'cars', iteration: null };
    await registerBenchmark(store, digestOf(TAXONOMY), rival, 'baseline');
    await scoredBefore(store, rival.digest, rows);

    const decide = await createDecideActivities(deps).decide({ context: context(), results });
    assert.deepEqual([decide.facts.gate, decide.facts.promoted], ['promoted', true]);
    assert.ok(Number(decide.facts.benchmarkMiou) < Number(results.evaluate?.facts.miou));
    const again = await createDecideActivities(deps).decide({ context: context(), results });
    assert.deepEqual([again.outcome, again.digest], ['hit', decide.digest]);
    const registry = await readRegistry(store, digestOf(TAXONOMY));
    assert.deepEqual(
      registry.history.map((entry) => entry.model.digest),
      [rival.digest, idOf(4)],
    );
    assert.equal(registry.looks.length, 1);
  });

  it('report a second iteration beside the first, also if an evaluation of the first is lost', async () => {
    const { store, deps, rows } = await filledPool(HOME, 20);
    const upToDecide = async (own: IterationContext): Promise<StepResults> => {
      const results: StepResults = {};
      results.draw = await createDrawActivities(deps).draw({ context: own, results });
      results.scan = await fakeScan(store, results.draw);
      results.sample = await createSampleActivities(deps).sample({ context: own, results });
      Object.assign(results, await fakeModel(store, rows));
      results.decide = await createDecideActivities(deps).decide({ context: own, results });
      return results;
    };
    const done = await upToDecide(context());
    const { config } = context();
    const attempt = { runId: 'r1', status: 'finished' as const, error: null, force: null, recordedAt: '2026-11-28' };
    await updateLoopState(store, 'cars', (state) => withAttempt(state, 1, { ...attempt, results: done, config }));
    await scoredBefore(store, idOf(4), rows);

    const previous = neededBy('iteration 2', done, ['draw', 'scan', 'sample', 'train', 'evaluate']);
    const changed = { ...config, train: { ...config.train, lrHead: 0.0034 } };
    const second = context({ iteration: 2, previous, config: changed });
    const results = await upToDecide(second);
    const reported = async (own: IterationContext): Promise<string> => {
      const { outputs } = await createReportActivities(deps).report({ context: own, results });
      return new TextDecoder().decode((await store.get(outputs.report ?? '')).body);
    };
    const html = await reported(second);
    assert.match(html, /Changes since iteration 1/);
    assert.match(html, /train\.lrHead 0\.0034, before/);
    assert.match(
      html,
      /8 images drawn, 1 set aside, 4 picked\. The training set has 10 images, before 6: 4 came and 0 left\./,
    );
    assert.match(html, /loop cars, iteration 1, before none/);
    assert.match(html, /Since last/);

    const { plannedLooks: _, ...gate } = changed.gate;
    // The input of an activity comes from a history of that time, which nobody parses again.
    const older = {
      ...second,
      config: { ...changed, gate } as LoopConfig,
      force: { from: 'report' as const, token: 'older' },
    };
    const before = await reported(older);
    assert.doesNotMatch(before, /gate\.plannedLooks|NaN are left/);

    const lost = { ...previous.evaluate, outputs: { images: 'fake/gone.parquet' } };
    const force = { from: 'report' as const, token: 'again' };
    const without = await reported({ ...second, previous: { ...previous, evaluate: lost }, force });
    assert.match(without, /Changes since iteration 1/);
    assert.ok(!without.includes('Since last'));
  });

  it('draw other images in the next iteration, and fail with a clear message when none is left', async () => {
    const { store, deps } = await filledPool(HOME, 20);
    const draw = await createDrawActivities(deps).draw({ context: context(), results: {} });
    const rest = { scan: stepResult('scan'), sample: stepResult('sample'), train: stepResult('train') };
    const previous = { draw, ...rest, evaluate: stepResult('evaluate') };
    const second = await createDrawActivities(deps).draw({ context: context({ iteration: 2, previous }), results: {} });
    const ids = async (result: DrawResult) =>
      (await readTable(store, result.outputs.chunk ?? '', chunkRowSchema)).map((row) => row.imageId);
    assert.equal(new Set([...(await ids(draw)), ...(await ids(second))]).size, 20);
    await assert.rejects(
      createDrawActivities(deps).draw({
        context: context({ iteration: 3, previous: { ...previous, draw: second } }),
        results: {},
      }),
      (error: unknown) => error instanceof PartloopError && error.code === 'pool-exhausted',
    );
  });

  it('list missing images and go on without them', async () => {
    const { store, deps, rows } = await filledPool(HOME, 12);
    const lost = rows.find((row) => row.split === 'train');
    await store.delete([lost?.imageUri ?? '']);
    const draw = await createDrawActivities(deps).draw({ context: context(), results: {} });
    assert.deepEqual([draw.facts.drawn, draw.facts.missing], [11, 1]);
    assert.match(
      new TextDecoder().decode((await store.get(draw.outputs.missing ?? '')).body),
      new RegExp(lost?.fileName ?? ''),
    );
  });

  it('draw nothing if too many images are missing, and list them all for `pool remove`', async () => {
    const { store, deps, rows } = await filledPool(HOME, 24);
    const lost = rows.filter((row) => row.split === 'train').slice(0, 7);
    await store.delete(lost.map(({ imageUri }) => imageUri));
    const drawn = createDrawActivities(deps).draw({
      context: context({ config: loopConfigSchema.parse({ pool: 'cars', chunkSize: 100 }) }),
      results: {},
    });
    const error = await drawn.catch((reason: unknown) => reason);
    assert.ok(error instanceof PartloopError, String(error));
    assert.equal(error.code, 'data-invalid');
    assert.match(error.message, /^7 of \d+ drawn images of pool `cars` cannot be used \(7 gone\), 3 may be left out/);
    const uri = / listed in (s3:\S+)$/.exec(error.message)?.[1] ?? '';
    const listed = await readImageList(
      uri,
      undefined,
      async (at) => (await store.get(at.replace(`${store.uri}/`, ''))).body,
    );
    assert.deepEqual(listed.sort(), lost.map(({ imageId }) => imageId).sort());
  });
});

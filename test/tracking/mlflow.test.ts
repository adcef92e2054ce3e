import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { Client, Connection } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { pino } from 'pino';
import { z } from 'zod';
import { createDecideActivities } from '../../activities/decide.js';
import { createLoopActivities } from '../../activities/loop.js';
import { type LoopConfig, loopConfigSchema } from '../../domain/config.js';
import type { RegisteredModel } from '../../domain/decide/decision.js';
import type { DecideResult } from '../../domain/decide/step.js';
import type { IterationContext, StepResults } from '../../domain/steps.js';
import { evaluationRowSchema } from '../../domain/tables.js';
import { NO_TAGS } from '../../domain/tags.js';
import { digestOf, digestOfTaxonomy } from '../../storage/digest.js';
import { readLoopState } from '../../storage/loopState.js';
import { readRegistry, registerBenchmark } from '../../storage/registry.js';
import { writeTable } from '../../storage/tables/table.js';
import { noteApproval } from '../../tracking/noteApproval.js';
import { scannedPool } from '../pool/review/scannedPool.js';
import { givenCard } from '../support/models/givenModel.js';
import { TAXONOMY } from '../support/pictures/pictures.js';
import { type MlflowServer, startMlflow } from '../support/servers/mlflowServer.js';
import { needsPeers } from '../support/servers/peers.js';
import { type MemoryStore, memoryStore } from '../support/standIns/memoryStore.js';
import { stepResult } from '../support/standIns/stepResult.js';

const DIGEST = digestOfTaxonomy(TAXONOMY);
const MODEL = `three-${DIGEST.slice(0, 8)}`;

const EVALUATED = {
  ...{ imageId: 'e'.repeat(64), fileName: 'test.jpg', vehicleId: null, ...NO_TAGS },
  ...{ confusion: [1, 1, 90, 1, 2, 10], boundary: [1, 5, 9], imageMiou: 0.5, calibration: null },
};

const entry = z.object({ key: z.string(), value: z.union([z.string(), z.number()]) });
const runSchema = z.looseObject({
  info: z.looseObject({ run_id: z.string(), run_name: z.string(), status: z.string() }),
  data: z.looseObject({
    params: z.array(entry).default([]),
    metrics: z.array(entry.extend({ step: z.number() })).default([]),
    tags: z.array(entry).default([]),
  }),
  inputs: z.looseObject({
    dataset_inputs: z
      .array(
        z.looseObject({
          tags: z.array(entry),
          dataset: z.looseObject({ name: z.string(), digest: z.string(), source: z.string() }),
        }),
      )
      .default([]),
  }),
});
const byKey = (entries: readonly z.infer<typeof entry>[]) =>
  Object.fromEntries(entries.map(({ key, value }) => [key, value]));

/** Digest of the file of a model that an iteration of a test trained. */
const weightsOf = (test: string, iteration: number): string => digestOf([test, iteration]);

/** What an iteration leaves that came to its end. */
function resultsOf(iteration: number, facts: { miou: number; promoted: boolean }): StepResults {
  const folder = `loops/cars/iterations/${iteration}/train`;
  return {
    draw: stepResult('draw', {}, { drawn: 20 }),
    sample: stepResult('sample', { trainingSet: 'loops/cars/set.parquet' }, { trainingSet: 12 }),
    train: stepResult('train', { scan: `${folder}/scan.onnx`, card: `${folder}/model.json` }),
    evaluate: stepResult('evaluate', {}, { miou: facts.miou, images: 5, testVersion: 't1', boundaryIou: null }),
    decide: stepResult('decide', {}, { gate: facts.promoted ? 'promoted' : 'held', promoted: facts.promoted }),
    report: stepResult('report', { report: `loops/cars/iterations/${iteration}/index.html` }),
  };
}

describe('tracking in MLflow', function () {
  this.timeout(400_000);
  needsPeers('mlflow');
  let server: MlflowServer;
  let store: MemoryStore;
  let config: LoopConfig;
  /** Of each test its own, as experiment and as models: the server keeps all of them. */
  let title: string;

  before(async () => {
    server = await startMlflow();
  });
  after(() => server?.stop());
  beforeEach(async function () {
    store = memoryStore();
    await scannedPool(1, { store });
    title = this.currentTest?.title.slice(0, 200) ?? '';
    config = configFor({ enabled: true, uri: server.uri, experiment: title });
    for (const iteration of [1, 2]) {
      const card = resultsOf(iteration, { miou: 0, promoted: false }).train?.outputs.card ?? '';
      await store.put(card, JSON.stringify(givenCard(TAXONOMY, 64, weightsOf(title, iteration))));
    }
  });

  const configFor = (mlflow: object): LoopConfig => loopConfigSchema.parse({ pool: 'cars', tracking: { mlflow } });
  const deps = () => ({
    ...{ store, log: pino({ level: 'silent' }), home: tmpdir(), root: tmpdir() },
    // Nothing here reaches Temporal.
    client: new Client({ connection: Connection.lazy() }),
  });
  const contextOf = (iteration: number): IterationContext => ({
    ...{ loop: 'cars', iteration, config, previous: null, force: null },
  });
  const record = (
    iteration: number,
    runId: string,
    results: StepResults,
    { status = 'finished', error = null }: { status?: 'finished' | 'failed'; error?: string | null } = {},
  ) => createLoopActivities(deps()).recordIteration({ context: contextOf(iteration), results, status, error, runId });

  async function runsOf(): Promise<z.infer<typeof runSchema>[]> {
    const found = z
      .object({ experiment: z.looseObject({ experiment_id: z.string() }) })
      .parse(await server.get('experiments/get-by-name', { experiment_name: title }));
    const answer = await server.post('runs/search', {
      experiment_ids: [found.experiment.experiment_id],
      order_by: ['attributes.start_time ASC'],
    });
    return z.object({ runs: z.array(runSchema).default([]) }).parse(answer).runs;
  }

  /** The version that has the alias, and the iteration that trained it. */
  async function champion(): Promise<{ version: string; iteration: unknown; source: string; run: string | undefined }> {
    const schema = z.object({
      model_version: z.looseObject({
        version: z.string(),
        source: z.string(),
        run_id: z.string().optional(),
        tags: z.array(entry),
      }),
    });
    const answer = await server.get('registered-models/alias', { name: MODEL, alias: 'champion' });
    const { version, source, run_id, tags } = schema.parse(answer).model_version;
    return { version, source, run: run_id, iteration: byKey(tags)['partloop.iteration'] };
  }

  async function versions(): Promise<number> {
    const answer = await server.get('model-versions/search', { filter: `name='${MODEL}'` });
    return z.object({ model_versions: z.array(z.unknown()).default([]) }).parse(answer).model_versions.length;
  }

  /** The step decide, as the workflow's run asks for it. */
  async function decided(iteration: number, runId: string): Promise<DecideResult> {
    await writeTable(store, 'evaluation.parquet', [EVALUATED], evaluationRowSchema);
    const evaluate = stepResult('evaluate', { images: 'evaluation.parquet' }, { miou: 0.5, testVersion: 't1' });
    const results = { ...resultsOf(iteration, { miou: 0.5, promoted: true }), evaluate };
    const workflowExecution = { workflowId: `loop:cars:iteration:000${iteration}`, runId };
    const { decide } = createDecideActivities(deps());
    return new MockActivityEnvironment({ workflowExecution }).run(decide, { context: contextOf(iteration), results });
  }

  const modelOf = (iteration: number): RegisteredModel => ({
    scan: resultsOf(iteration, { miou: 0, promoted: false }).train?.outputs.scan ?? '',
    card: resultsOf(iteration, { miou: 0, promoted: false }).train?.outputs.card ?? '',
    digest: weightsOf(title, iteration),
    ...{ loop: 'cars', iteration },
  });

  it('notes an iteration as a run with its settings, facts, images, report and workflow', async () => {
    await record(1, 'run-a', resultsOf(1, { miou: 0.5, promoted: false }));
    const [run, ...more] = await runsOf();
    assert.deepEqual([run?.info.run_name, run?.info.status, more.length], ['cars:1', 'FINISHED', 0]);
    const params = byKey(run?.data.params ?? []);
    assert.deepEqual(
      [params.chunkSize, params['train.iterations'], params['gate.mode'], params.baselineImages],
      [String(config.chunkSize), String(config.train.iterations), 'auto', 'null'],
    );
    assert.deepEqual(
      Object.keys(params).filter((key) => key.startsWith('tracking')),
      [],
    );
    const metrics = run?.data.metrics ?? [];
    const miou = metrics.find(({ key }) => key === 'evaluate.miou');
    assert.deepEqual([miou?.value, miou?.step], [0.5, 1]);
    assert.deepEqual([byKey(metrics)['draw.drawn'], byKey(metrics)['evaluate.boundaryIou']], [20, undefined]);
    const tags = byKey(run?.data.tags ?? []);
    assert.equal(tags['partloop.report'], 's3://memory/store/loops/cars/iterations/1/index.html');
    assert.equal(tags['temporal.workflowId'], 'loop:cars:iteration:0001');
    assert.equal(tags['decide.gate'], 'held');
    const datasets = (run?.inputs.dataset_inputs ?? []).map(({ tags: of, dataset }) => [
      of[0]?.value,
      dataset.name,
      dataset.source,
    ]);
    assert.deepEqual(datasets.sort(), [
      ['evaluation', 'cars test', '{}'],
      ['training', 'cars', '{"uri":"s3://memory/store/loops/cars/set.parquet"}'],
    ]);
  });

  it('has one run for each attempt, however often it is recorded', async () => {
    const results = resultsOf(1, { miou: 0.5, promoted: false });
    await record(1, 'run-a', { draw: stepResult('draw') }, { status: 'failed', error: 'the disk is full' });
    await record(1, 'run-b', results);
    await record(1, 'run-b', results);
    assert.deepEqual(
      (await runsOf()).map(({ info, data }) => [info.status, byKey(data.tags)['partloop.error']]),
      [
        ['FAILED', 'the disk is full'],
        ['FINISHED', undefined],
      ],
    );
  });

  it('has the model in production as champion, moved by the gate and by an approval, and never back', async () => {
    const before = await versions();
    const { facts } = await decided(1, 'run-a');
    assert.equal(facts.gate, 'first');
    const first = await champion();
    assert.equal(first.iteration, '1');
    assert.equal(first.source, 's3://memory/store/loops/cars/iterations/1/train');
    const [run] = await runsOf();
    assert.deepEqual([run?.info.status, run?.info.run_id], ['RUNNING', first.run], 'the run is made at the decision');

    await record(1, 'run-a', resultsOf(1, { miou: 0.5, promoted: true }));
    await record(2, 'run-b', resultsOf(2, { miou: 0.6, promoted: false }));
    assert.deepEqual(await champion(), first, 'a held candidate is a version, and no champion');
    assert.equal((await versions()) - before, 2);

    const approved = await registerBenchmark(store, DIGEST, modelOf(2), 'approved');
    assert.equal(await noteApproval(store, config, approved), null);
    assert.equal((await champion()).iteration, '2');

    await record(1, 'run-c', resultsOf(1, { miou: 0.5, promoted: true }));
    assert.equal((await champion()).iteration, '2', 'an old iteration that is done again');
    assert.equal((await versions()) - before, 2);
    assert.equal((await readRegistry(store, DIGEST)).model?.iteration, 2);
  });

  it('fails no iteration where no server answers, and says so among its facts', async () => {
    config = configFor({ enabled: true, uri: 'http://127.0.0.1:9' });
    assert.equal((await decided(1, 'run-a')).facts.gate, 'first');
    await record(1, 'run-a', resultsOf(1, { miou: 0.5, promoted: false }));
    const { iterations } = await readLoopState(store, 'cars');
    assert.deepEqual([iterations.length, iterations[0]?.current.status], [1, 'finished']);
    const told = iterations[0]?.current.results.report?.facts.tracking ?? '';
    assert.match(told, /^MLflow at http:\/\/127\.0\.0\.1:9 \(experiments\/get-by-name\): fetch failed/);
    assert.deepEqual(iterations[0]?.others, []);
  });

  it('is off unless it is asked for', async () => {
    config = configFor({ enabled: false, uri: server.uri, experiment: title });
    await record(1, 'run-a', resultsOf(1, { miou: 0.5, promoted: false }));
    const answer = await server.get('experiments/get-by-name', { experiment_name: title });
    assert.equal(z.looseObject({ error_code: z.string() }).parse(answer).error_code, 'RESOURCE_DOES_NOT_EXIST');
  });
});

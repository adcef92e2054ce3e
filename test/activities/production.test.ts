import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { pino } from 'pino';
import { createDecideActivities } from '../../activities/decide.js';
import { PartloopError } from '../../domain/base/errors.js';
import { loopConfigSchema } from '../../domain/config.js';
import { decisionSchema, type RegisteredModel } from '../../domain/decide/decision.js';
import { evaluateStep } from '../../domain/evaluate/step.js';
import type { IterationContext, StepResults } from '../../domain/steps.js';
import { type EvaluationRow, evaluationRowSchema, type IndexRow, trainingRowSchema } from '../../domain/tables.js';
import { NO_TAGS } from '../../domain/tags.js';
import type { ActivityDeps } from '../../steps/deps.js';
import { digestOf } from '../../storage/digest.js';
import { keys } from '../../storage/keys.js';
import { openPool } from '../../storage/pool/pool.js';
import { promoteModel, readRegistry, registerBenchmark, rollBackModel } from '../../storage/registry.js';
import { readJson } from '../../storage/tables/json.js';
import { writeTable } from '../../storage/tables/table.js';
import { idOf, indexRow, TAXONOMY } from '../domain/sample/rows.js';
import { memoryStore } from '../support/standIns/memoryStore.js';
import { stepResult } from '../support/standIns/stepResult.js';
import { trainedCard } from './results.js';

const DIGEST = digestOf(TAXONOMY);
const config = loopConfigSchema.parse({ pool: 'cars', gate: { minUnits: 2 } });
const signed = { by: 'Kim', why: 'a test' };
const model = (n: number): RegisteredModel => ({
  ...{ scan: `${n}.onnx`, card: `${n}.json`, digest: idOf(n), loop: 'cars', iteration: n },
});

/** A pool with test images, on which each model was judged: `right` of 100 pixels of a class are right. */
async function judgedPool(right: Readonly<Record<number, number>>) {
  const store = memoryStore();
  await store.put(keys.taxonomy('cars'), JSON.stringify(TAXONOMY));
  const test: IndexRow[] = [0, 1, 2, 3].map((n) => indexRow(n, { split: 'test' }));
  await (await openPool(store, 'cars')).append(() => test);
  const testVersion = digestOf(test.map((row) => `${row.imageId} ${row.labelSha256}`));
  await writeTable(store, 'set.parquet', [], trainingRowSchema);
  for (const [n, pixels] of Object.entries(right)) {
    const place = keys.evaluation(idOf(Number(n)), testVersion, config.evaluationSize, evaluateStep.version);
    const rows: EvaluationRow[] = test.map(({ imageId, fileName }) => ({
      ...{ imageId, fileName, vehicleId: null, ...NO_TAGS, boundary: [1, 1, 2], imageMiou: 0.5, calibration: null },
      confusion: [1, 1, pixels, 1, 2, 100 - pixels, 2, 2, 100],
    }));
    await writeTable(store, `${place}images.parquet`, rows, evaluationRowSchema);
    await store.put(`${place}summary.json`, '{}');
    await store.put(`${n}.json`, JSON.stringify(trainedCard(32, idOf(Number(n)))));
  }
  const deps: ActivityDeps = { store, home: tmpdir(), root: '.', log: pino({ level: 'silent' }) };
  const decide = (iteration: number) => {
    const context: IterationContext = { loop: 'cars', iteration, config, previous: null, force: null };
    const place = keys.evaluation(idOf(iteration), testVersion, config.evaluationSize, evaluateStep.version);
    const results: StepResults = {
      draw: stepResult('draw', {}, { poolVersion: 1 }),
      sample: stepResult('sample', { trainingSet: 'set.parquet' }),
      train: stepResult('train', { scan: `${iteration}.onnx`, card: `${iteration}.json` }),
      evaluate: stepResult('evaluate', { images: `${place}images.parquet` }, { miou: 0.5, testVersion }),
    };
    return createDecideActivities(deps).decide({ context, results });
  };
  const rivalIn = async (key: string | undefined) =>
    (await readJson(store, key ?? assert.fail('no decision'), decisionSchema)).benchmark?.iteration ?? null;
  return { store, decide, rivalIn };
}

describe('a loop whose model in production a person changed', () => {
  it('compares its next candidate with the new one, and leaves the decisions before alone', async () => {
    const { store, decide, rivalIn } = await judgedPool({ 1: 60, 2: 90, 3: 70 });
    await decide(1);
    const second = await decide(2);
    assert.deepEqual([second.facts.promoted, await rivalIn(second.outputs.decision)], [true, 1]);
    await rollBackModel(store, DIGEST, { from: model(2), to: null }, signed);
    const third = await decide(3);
    assert.deepEqual([third.facts.promoted, await rivalIn(third.outputs.decision)], [true, 1]);
    await promoteModel(store, DIGEST, model(2), signed);
    assert.equal((await decide(2)).digest, second.digest, 'the same decision is found done');
    assert.equal((await decide(3)).digest, third.digest);
    assert.equal((await readRegistry(store, DIGEST)).model?.iteration, 2);
  });

  it('does not promote again what was rolled back, if the decision is repeated', async () => {
    const { store, decide } = await judgedPool({ 1: 60, 2: 90 });
    await decide(1);
    await decide(2);
    await rollBackModel(store, DIGEST, { from: model(2), to: null }, signed);
    const again = await decide(2);
    assert.deepEqual([again.outcome, again.facts.promoted], ['hit', true]);
    assert.equal((await readRegistry(store, DIGEST)).model?.iteration, 1);
  });

  it('compares again if the change came while the gate compared', async () => {
    const { store, decide, rivalIn } = await judgedPool({ 1: 60, 2: 75, 3: 90 });
    await registerBenchmark(store, DIGEST, model(1), 'first');
    // The person is faster than the registration that follows the committed decision.
    let isChanged = false;
    store.beforeWrite = async (key) => {
      if (isChanged || !/decide\/[0-9a-f]+\/commit\.json$/.test(key)) return;
      isChanged = true;
      await promoteModel(store, DIGEST, model(3), signed);
    };
    await assert.rejects(
      decide(2),
      (error: unknown) => error instanceof PartloopError && error.code === 'store-conflict',
    );
    assert.equal((await readRegistry(store, DIGEST)).model?.iteration, 3);
    const again = await decide(2);
    assert.deepEqual([again.facts.promoted, await rivalIn(again.outputs.decision)], [false, 3]);
    const { model: now, looks } = await readRegistry(store, DIGEST);
    assert.deepEqual([now?.iteration, looks.length], [3, 1]);
  });
});

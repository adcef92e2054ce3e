import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { createTrainActivities } from '../../activities/train.js';
import { PartloopError } from '../../domain/base/errors.js';
import { type IterationContext, iterationContextSchema, type StepResults } from '../../domain/steps.js';
import { type IndexRow, type TrainingRow, trainingRowSchema } from '../../domain/tables.js';
import { modelCardSchema, trainingListSchema } from '../../domain/train/modelCard.js';
import type { TrainResult } from '../../domain/train/step.js';
import { digestOf, digestOfTaxonomy } from '../../storage/digest.js';
import { keys } from '../../storage/keys.js';
import { openPool } from '../../storage/pool/pool.js';
import { readRegistry } from '../../storage/registry.js';
import { writeTable } from '../../storage/tables/table.js';
import { type MemoryStore, memoryStore } from '../support/standIns/memoryStore.js';
import { stepResult } from '../support/standIns/stepResult.js';
import { type StandInTrainer, standInTrainer } from '../support/standIns/trainer.js';
import { POOL, taxonomy, tinyImage } from './tinyPool.js';

describe('the train activities', () => {
  let home: string;
  let trainer: StandInTrainer;
  let store: MemoryStore;
  let images: IndexRow[];
  let activities: ReturnType<typeof createTrainActivities>;

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'partloop-train-'));
    trainer = await standInTrainer(home);
    store = memoryStore();
    await store.put(keys.taxonomy(POOL), JSON.stringify(taxonomy));
    images = [];
    for (let index = 0; index < 8; index++) {
      const split = index < 5 ? 'train' : index < 7 ? 'val' : 'test';
      // Hashes far apart: none is a copy of another.
      images.push({
        ...(await tinyImage(store, index)),
        split,
        vehicleId: `car-${index}`,
        perceptualHash: `${index}${index}`.repeat(8),
      });
    }
    await (await openPool(store, POOL)).append(() => images);
    activities = createTrainActivities({ store, home, root: process.cwd(), log: pino({ level: 'silent' }) });
  });
  afterEach(async () => {
    trainer.leave();
    await rm(home, { recursive: true, force: true });
  });

  it('train on the picks, measure on the val split, and find the finished run the second time', async () => {
    const results = await resultsWith(images.slice(0, 3));
    const first = await activities.train({ context: context(), results });
    assert.equal(first.outcome, 'miss');
    const second = await activities.train({ context: context(), results });
    assert.equal(second.outcome, 'hit');
    assert.deepEqual(second.outputs, first.outputs);
    const jobs = await jobsSeen();
    assert.equal(jobs.length, 1);
    assert.deepEqual(jobs[0]?.train, ids(images.slice(0, 3)));
    assert.deepEqual(jobs[0]?.val, ids(images.slice(5, 7)));
  });

  it('train again after a label changed, and with another seed in another iteration', async () => {
    const first = await activities.train({ context: context(), results: await resultsWith(images.slice(0, 3)) });
    const relabelled = images
      .slice(0, 3)
      .map((row, index) => (index === 0 ? { ...row, labelSha256: images[1]?.labelSha256 ?? '' } : row));
    const second = await activities.train({ context: context(), results: await resultsWith(relabelled) });
    assert.notEqual(second.digest, first.digest);
    const third = await activities.train({ context: context(2), results: await resultsWith(images.slice(0, 3)) });
    assert.notEqual(third.facts.weightsSha256, first.facts.weightsSha256);
  });

  it('start from the weights of the previous iteration, and know its training images', async () => {
    const before = await activities.train({
      context: context(1, true),
      results: await resultsWith(images.slice(0, 2)),
    });
    const results = await resultsWith(images.slice(2, 4));
    const next = { ...context(2, true), previous: previous(before) };
    const warm = await activities.train({ context: next, results });
    const cold = await activities.train({ context: { ...context(2), previous: previous(before) }, results });
    const [first, second, third] = await jobsSeen();
    assert.deepEqual([first?.warm, third?.warm], [null, null]);
    assert.equal(second?.warm, `weights.pt${first?.job.seed}`);
    assert.notEqual(warm.digest, cold.digest);
    const card = modelCardSchema.parse(await json(warm.outputs.card));
    assert.equal(card.startedFrom, before.facts.weightsSha256);
    const { images: seen } = trainingListSchema.parse(await json(warm.outputs.trainingList));
    assert.deepEqual(seen.map(({ imageId }) => imageId).sort(), ids(images.slice(0, 4)));
  });

  it('train folds from the pretraining even if iterations build on each other, and publish no fold', async () => {
    const before = await activities.train({
      context: context(1, true),
      results: await resultsWith(images.slice(0, 2)),
    });
    assert.ok(before.outputs.weights !== undefined);
    await writeTable(store, 'plan/fold-0.parquet', trainingRows(images.slice(2, 5)), trainingRowSchema);
    await store.put('plan/plan.json', JSON.stringify(planOf('plan/fold-0.parquet', 0)));
    const next = { ...context(2, true), previous: previous(before) };
    const fold = await activities.trainFold({ context: next, planKey: 'plan/plan.json', fold: 0 });
    assert.equal((await jobsSeen()).at(-1)?.warm, null);
    assert.equal(fold.outputs.weights, undefined);
  });

  it('say so if the previous iteration left no weights to start from', async () => {
    const before = await activities.train({ context: context(1), results: await resultsWith(images.slice(0, 2)) });
    const { weights: _, ...outputs } = before.outputs;
    const next = { ...context(2, true), previous: previous({ ...before, outputs }) };
    await assert.rejects(
      activities.train({ context: next, results: await resultsWith(images.slice(2, 4)) }),
      (error: unknown) => error instanceof PartloopError && /left no weights/.test(error.message),
    );
  });

  it('refuse to train on a vehicle of the test set', async () => {
    const leaking = images.slice(0, 2).map((row) => ({ ...row, vehicleId: 'car-7' }));
    await assert.rejects(
      activities.train({ context: context(), results: await resultsWith(leaking) }),
      (error: unknown) => error instanceof PartloopError && error.code === 'leak-detected',
    );
    assert.deepEqual(await jobsSeen(), []);
  });

  it("train a fold for its share of the loop's iterations", async () => {
    await writeTable(store, 'plan/fold-1.parquet', trainingRows(images.slice(2, 5)), trainingRowSchema);
    await store.put('plan/plan.json', JSON.stringify(planOf('plan/fold-1.parquet', 1)));
    const result = await activities.trainFold({ context: context(), planKey: 'plan/plan.json', fold: 1 });
    assert.equal(result.facts.iterations, 6);
    assert(result.outputs.scan !== undefined && result.outputs.card !== undefined);
  });

  it('train one benchmark on random images if there is none, never on val or test images', async () => {
    const draw = (await resultsWith(images.slice(0, 1))).draw;
    assert(draw !== undefined);
    const made = await activities.ensureBenchmark({ context: context(), results: { draw } });
    assert.equal((await readRegistry(store, digestOfTaxonomy(taxonomy))).model?.scan, made?.outputs.scan);
    assert.equal(await activities.ensureBenchmark({ context: context(), results: { draw } }), null);
    const jobs = await jobsSeen();
    assert.equal(jobs.length, 1);
    assert.equal(jobs[0]?.train.length, 4);
    const allowed = new Set(ids(images.slice(0, 5)));
    assert(jobs[0]?.train.every((id: string) => allowed.has(id)));
  });

  function context(iteration = 1, warmStart = false): IterationContext {
    const train = { iterations: 9, batchSize: 2, imageSize: 64, checkpointEvery: 3, threads: 1, warmStart };
    return iterationContextSchema.parse({
      loop: 'tiny',
      iteration,
      config: { pool: POOL, train, baselineImages: 4 },
      previous: null,
      force: null,
    });
  }

  async function resultsWith(rows: readonly IndexRow[]): Promise<StepResults> {
    const trainingSet = `sets/${digestOf(rows)}.parquet`;
    await writeTable(store, trainingSet, trainingRows(rows), trainingRowSchema);
    return { draw: stepResult('draw', {}, { poolVersion: 1 }), sample: stepResult('sample', { trainingSet }, {}) };
  }

  const json = async (key = ''): Promise<unknown> => JSON.parse(new TextDecoder().decode((await store.get(key)).body));

  const jobsSeen = () => trainer.jobs();
});

/** The results of an iteration; only the training matters here. */
const previous = (train: TrainResult): NonNullable<IterationContext['previous']> => ({
  train,
  draw: stepResult('draw'),
  scan: stepResult('scan'),
  sample: stepResult('sample'),
  evaluate: stepResult('evaluate'),
});

const planOf = (trainingSet: string, fold: number) => ({
  version: 1,
  poolVersion: 1,
  folds: [{ fold, trainingSet, images: 3 }],
  judges: [],
  shards: [],
  unjudged: [],
});

const ids = (rows: readonly IndexRow[]): string[] => rows.map((row) => row.imageId).sort();
const trainingRows = (rows: readonly IndexRow[]): TrainingRow[] =>
  rows.map((row) => ({ ...row, cluster: row.imageId, pickedIn: 1 }));

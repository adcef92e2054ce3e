import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { createTrialActivities, createTuneActivities } from '../../activities/tune.js';
import { PartloopError } from '../../domain/base/errors.js';
import { iterationContextSchema, type StepResults } from '../../domain/steps.js';
import { type IndexRow, type TrainingRow, trainingRowSchema } from '../../domain/tables.js';
import { tuningSchema } from '../../domain/tune/proposal.js';
import { newTrial, ownTrial } from '../../domain/tune/trials.js';
import { digestOf } from '../../storage/digest.js';
import { keys } from '../../storage/keys.js';
import { openPool } from '../../storage/pool/pool.js';
import { writeTable } from '../../storage/tables/table.js';
import { PYTHON } from '../support/models/tinyModel.js';
import { type MemoryStore, memoryStore } from '../support/standIns/memoryStore.js';
import { stepResult } from '../support/standIns/stepResult.js';
import { POOL, taxonomy, tinyImage } from './tinyPool.js';

/** Rungs of 2, 4 and 8 iterations. */
const context = iterationContextSchema.parse({
  loop: 'tiny',
  iteration: 1,
  config: {
    pool: POOL,
    train: { iterations: 8, batchSize: 2, imageSize: 64, checkpointEvery: 2, threads: 1 },
    tune: { enabled: true, trials: 3, iterationShare: 1, rungs: 3 },
  },
  previous: null,
  force: null,
});
const { config } = context;

describe('the tune activities', function () {
  this.timeout(240_000);
  let home: string;
  let store: MemoryStore;
  let images: IndexRow[];
  let trials: ReturnType<typeof createTrialActivities>;
  let finish: ReturnType<typeof createTuneActivities>;

  beforeEach(async function () {
    if (!existsSync(PYTHON)) {
      console.log(`      skipped: ${PYTHON} is missing; npm run bootstrap installs it`);
      return this.skip();
    }
    home = await mkdtemp(join(tmpdir(), 'partloop-tune-'));
    store = memoryStore();
    await store.put(keys.taxonomy(POOL), JSON.stringify(taxonomy));
    images = [];
    for (let index = 0; index < 6; index++) {
      const perceptualHash = `${index}${index}`.repeat(8);
      images.push({ ...(await tinyImage(store, index)), split: index < 4 ? 'train' : 'val', perceptualHash });
    }
    await (await openPool(store, POOL)).append(() => images);
    const deps = { store, home, root: process.cwd(), log: pino({ level: 'silent' }) };
    trials = createTrialActivities(deps);
    finish = createTuneActivities(deps);
  });
  afterEach(async () => {
    if (home !== undefined) await rm(home, { recursive: true, force: true });
  });

  it('train a trial rung by rung, each from the end of the one below, and never twice', async () => {
    const results = await resultsWith(images.slice(0, 4));
    const trial = { context, results, trial: 0, settings: ownTrial(config).settings };
    const first = await trials.trainTrial({ ...trial, rung: 0 });
    const second = await trials.trainTrial({ ...trial, rung: 1 });
    assert.deepEqual([first.facts.iterations, second.facts.iterations], [2, 4]);
    assert.equal(second.facts.resumes, 1);
    assert.equal(first.outputs.chain, second.outputs.chain);
    assert.ok(typeof second.facts.valMiou === 'number');
    assert.deepEqual(await iterationsOf(second.outputs.log), [2, 4]);
    const again = await trials.trainTrial({ ...trial, rung: 1 });
    assert.equal(again.outcome, 'hit');
    // Another seed would make trials differ by luck: one with equal settings ends at equal weights.
    const twin = await trials.trainTrial({ ...trial, trial: 1, rung: 0 });
    assert.equal(twin.facts.loss, first.facts.loss);
    assert.equal(twin.facts.valMiou, first.facts.valMiou);
    assert.notEqual(twin.outputs.chain, first.outputs.chain);
  });

  it('propose settings inside the space, and the same ones for the same question', async () => {
    const known = [
      { ...ownTrial(config), values: [0.2, 0.3, 0.4] },
      { ...newTrial(1, { ...ownTrial(config).settings, lrHead: 0.005 }), values: [0.1] },
    ];
    const settings = await trials.proposeTrial({ context, trials: known });
    assert.deepEqual(await trials.proposeTrial({ context, trials: known }), settings);
    const { lrHead } = settings;
    assert.ok(lrHead !== undefined && lrHead >= 0.0005 && lrHead <= 0.006, JSON.stringify(settings));
    assert.deepEqual(await readdir(join(home, 'work')), []);
  });

  it('end with a table of trials and a proposal, and leave no checkpoint', async () => {
    const results = await resultsWith(images.slice(0, 4));
    const own = ownTrial(config);
    const trained = await trials.trainTrial({ context, results, trial: 0, settings: own.settings, rung: 0 });
    const chain = trained.outputs.chain ?? '';
    assert.ok(checkpoints().length > 0);
    const better = { ...newTrial(1, { lrHead: 0.004 }), values: [0.3, 0.4, 0.55] };
    const table = [{ ...own, values: [0.2, 0.3, 0.5] }, better];
    const result = await finish.finishTuning({ context, trials: table, chains: [chain], stopped: null });
    assert.deepEqual(checkpoints(), []);
    const object = await store.get(result.outputs.tuning ?? '');
    const tuning = tuningSchema.parse(JSON.parse(new TextDecoder().decode(object.body)));
    assert.deepEqual(tuning.rungs, [2, 4, 8]);
    assert.deepEqual(tuning.proposal, { iteration: 1, settings: { lrHead: 0.004 }, miou: 0.55, ownMiou: 0.5 });
    assert.equal(result.facts.proposed, true);
  });

  it('need validation images, and say so before they train anything', async () => {
    await store.put(keys.taxonomy('other'), JSON.stringify(taxonomy));
    await (await openPool(store, 'other')).append(() => images.slice(0, 4));
    const elsewhere = { ...context, config: { ...config, pool: 'other' } };
    const results = await resultsWith(images.slice(0, 4));
    await assert.rejects(
      trials.trainTrial({ context: elsewhere, results, trial: 0, settings: {}, rung: 0 }),
      (error: unknown) => error instanceof PartloopError && /no validation images/.test(error.message),
    );
  });

  const checkpoints = (): string[] => store.keys.filter((key) => key.endsWith('.pt'));

  async function iterationsOf(log: string | undefined): Promise<number[]> {
    const text = new TextDecoder().decode((await store.get(log ?? '')).body);
    return text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).iteration);
  }

  async function resultsWith(rows: readonly IndexRow[]): Promise<StepResults> {
    const trainingSet = `sets/${digestOf(rows)}.parquet`;
    const training: TrainingRow[] = rows.map((row) => ({ ...row, cluster: row.imageId, pickedIn: 1 }));
    await writeTable(store, trainingSet, training, trainingRowSchema);
    return { draw: stepResult('draw', {}, { poolVersion: 1 }), sample: stepResult('sample', { trainingSet }) };
  }
});

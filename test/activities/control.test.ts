import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createArmActivities, createControlActivities } from '../../activities/control.js';
import { createDecideActivities } from '../../activities/decide.js';
import { createDrawActivities } from '../../activities/draw.js';
import { createReportActivities } from '../../activities/report.js';
import { createSampleActivities } from '../../activities/sample.js';
import { createTrainActivities } from '../../activities/train.js';
import type { LoopConfig } from '../../domain/config.js';
import { controlComparisonSchema } from '../../domain/control/comparison.js';
import { previousResults } from '../../domain/loop/iterationStart.js';
import { emptyLoopState, withAttempt } from '../../domain/loop/state.js';
import { randomOrder } from '../../domain/sample/randomOrder.js';
import { configWith } from '../../domain/settings/loopConfig.js';
import type { IterationContext, StepResults } from '../../domain/steps.js';
import { chunkRowSchema, type IndexRow, trainingRowSchema } from '../../domain/tables.js';
import { modelCardSchema, trainingListSchema } from '../../domain/train/modelCard.js';
import type { ArmResult } from '../../domain/train/step.js';
import { findTraces } from '../../pool/remove/traces.js';
import type { ActivityDeps } from '../../steps/deps.js';
import { updateLoopState } from '../../storage/loopState.js';
import { readCatalogue } from '../../storage/models/knownModels.js';
import { readJson } from '../../storage/tables/json.js';
import { readTable } from '../../storage/tables/table.js';
import { type StandInTrainer, standInTrainer } from '../support/standIns/trainer.js';
import { context, fakeModel, fakeScan, filledPool, type Store, scoredBefore } from './storedIteration.js';

const withControl = (more: object = {}): LoopConfig =>
  configWith(context().config, { sample: { controlArm: true }, ...more });

describe('the control of an iteration', function () {
  this.timeout(60_000);
  let home: string;
  let trainer: StandInTrainer;
  let store: Store;
  let deps: ActivityDeps;
  let rows: IndexRow[];

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'partloop-control-'));
    trainer = await standInTrainer(home);
    ({ store, deps, rows } = await filledPool(home, 24));
    deps = { ...deps, root: process.cwd() };
  });
  afterEach(async () => {
    trainer.leave();
    await rm(home, { recursive: true, force: true });
  });

  /** An iteration up to its decision; its model was trained, but its evaluation is made up. */
  async function upToDecide(own: IterationContext): Promise<StepResults> {
    const results: StepResults = {};
    results.draw = await createDrawActivities(deps).draw({ context: own, results });
    results.scan = await fakeScan(store, results.draw);
    results.sample = await createSampleActivities(deps).sample({ context: own, results });
    results.train = await createTrainActivities(deps).train({ context: own, results });
    await scored(results.train);
    results.evaluate = (await fakeModel(store, rows)).evaluate;
    results.decide = await createDecideActivities(deps).decide({ context: own, results });
    return results;
  }

  /** Nobody has to run the network of a training. */
  async function scored({ outputs }: ArmResult): Promise<void> {
    const { files } = await readJson(store, outputs.card ?? '', modelCardSchema);
    await scoredBefore(store, files.scan, rows);
  }

  /** The whole step, with an evaluation of the control that is there. */
  async function control(own: IterationContext, results: StepResults) {
    const arm = await createArmActivities(deps).trainControl({ context: own, results });
    await scored(arm);
    return { arm, done: await createControlActivities(deps).compareControl({ context: own, results, arm }) };
  }

  /** The second iteration, with its predecessor in the loop's record. */
  async function secondAfter(first: StepResults, config: LoopConfig): Promise<IterationContext> {
    const attempt = { runId: 'r1', status: 'finished' as const, error: null, force: null, recordedAt: '2026-11-28' };
    const state = withAttempt(emptyLoopState('cars'), 1, { ...attempt, results: first, config });
    await updateLoopState(store, 'cars', () => state);
    return context({ iteration: 2, config, previous: previousResults(state, 2) });
  }

  const idsIn = async (key = ''): Promise<string[]> =>
    (await readTable(store, key, chunkRowSchema)).map(({ imageId }) => imageId);
  const isUnderArm = ({ outputs }: ArmResult): boolean =>
    Object.values(outputs).every((key) => key === undefined || key.includes('/arm/'));

  it('is trained like the model of the iteration, on as many random images of its chunk', async () => {
    const own = context({ config: withControl() });
    const results = await upToDecide(own);
    const { arm, done } = await control(own, results);

    const [model, random] = await trainer.jobs();
    const chunk = await idsIn(results.draw?.outputs.chunk);
    assert.deepEqual(random?.train, randomOrder(chunk, own.config.seed, 1).slice(0, 6).sort());
    assert.notDeepEqual(random?.train, model?.train);
    assert.equal(random?.train.length, model?.train.length);
    assert.equal(random?.job.seed, model?.job.seed);
    assert.deepEqual(random?.job.settings, model?.job.settings);

    assert.ok(Number(done.facts.gain) > 0 && Number(done.facts.lower) <= Number(done.facts.gain));
    assert.deepEqual([done.facts.images, done.facts.unlike, done.facts.why], [6, null, null]);
    const { compared } = await readJson(store, done.outputs.comparison ?? '', controlComparisonSchema);
    assert.deepEqual([compared?.trainedOn, compared?.controlTrainedOn, compared?.images], [6, 6, 2]);
    assert.ok(isUnderArm(arm));
  });

  it('is found done the second time, and replaces nothing of the iteration', async () => {
    const own = context({ config: withControl() });
    const results = await upToDecide(own);
    const { arm, done } = await control(own, results);
    const again = await control(own, results);
    assert.deepEqual([again.arm.outcome, again.done.outcome], ['hit', 'hit']);
    assert.deepEqual([again.arm.digest, again.done.digest], [arm.digest, done.digest]);
    const train = await createTrainActivities(deps).train({ context: own, results });
    assert.deepEqual([train.outcome, train.digest], ['hit', results.train?.digest]);
    assert.notEqual(arm.digest, train.digest);
    assert.equal((await trainer.jobs()).length, 2);
    const forced = { ...own, force: { from: 'control' as const, token: 'again' } };
    assert.equal((await createArmActivities(deps).trainControl({ context: forced, results })).outcome, 'forced');
    assert.equal((await createTrainActivities(deps).train({ context: forced, results })).outcome, 'hit');
  });

  it('says why there is none, and the report has both', async () => {
    const own = context({ config: withControl() });
    const results = await upToDecide(own);
    const html = async (done: StepResults['control']): Promise<string> => {
      const { outputs } = await createReportActivities(deps).report({
        context: own,
        results: { ...results, control: done },
      });
      return new TextDecoder().decode((await store.get(outputs.report ?? '')).body).replace(/<[^>]*>/g, '');
    };
    const why = 'the loss is not finite';
    const skipped = await createControlActivities(deps).skipControl({ context: own, results, why });
    assert.equal(skipped.facts.why, why);
    assert.match(await html(skipped), /There is no control for this iteration: the loss is not finite\./);
    const { done } = await control(own, results);
    assert.match(await html(done), /Gain over random: \+\d+\.\d points \[/);
  });

  it('may be switched on late: its training set is that of a loop that always had one', async () => {
    const first = await upToDecide(context());
    const second = await secondAfter(first, withControl());
    const results = await upToDecide(second);
    const { done } = await control(second, results);
    const jobs = await trainer.jobs();
    const { seed } = second.config;
    const [one, two] = [await idsIn(first.draw?.outputs.chunk), await idsIn(results.draw?.outputs.chunk)];
    const trainingSet = await readTable(store, results.sample?.outputs.trainingSet ?? '', trainingRowSchema);
    const ofSecond = trainingSet.filter(({ pickedIn }) => pickedIn === 2).length;
    const expected = [...randomOrder(one, seed, 1).slice(0, 6), ...randomOrder(two, seed, 2).slice(0, ofSecond)];
    assert.deepEqual(jobs.at(-1)?.train, expected.sort());
    assert.equal(jobs.at(-1)?.train.length, trainingSet.length);
    assert.equal(done.facts.unlike, null);
  });

  it('starts from the weights of the last control alone, and says so if there is none', async () => {
    const config = withControl({ train: { warmStart: true } });
    const one = context({ config });
    const first = await upToDecide(one);
    const before = await control(one, first);
    assert.ok(before.arm.outputs.weights?.includes('/arm/'));
    const second = await secondAfter({ ...first, control: before.done }, config);
    const results = await upToDecide(second);
    const warm = await control(second, results);
    const { startedFrom } = await readJson(store, warm.arm.outputs.card ?? '', modelCardSchema);
    assert.equal(startedFrom, before.arm.facts.weightsSha256);
    const seen = async ({ outputs }: ArmResult): Promise<string[]> =>
      (await readJson(store, outputs.trainingList ?? '', trainingListSchema)).images.map(({ imageId }) => imageId);
    const random = new Set([...(await seen(before.arm)), ...((await trainer.jobs()).at(-1)?.train ?? [])]);
    assert.deepEqual(new Set(await seen(warm.arm)), random);
    assert.deepEqual([warm.done.facts.behind, warm.done.facts.unlike], [undefined, null]);

    const late = await secondAfter(first, config);
    const cold = await control(late, results);
    assert.equal((await readJson(store, cold.arm.outputs.card ?? '', modelCardSchema)).startedFrom, null);
    assert.equal(cold.done.facts.behind, true);
    assert.match(cold.done.facts.unlike ?? '', /without the earlier trainings/);
    // Whatever starts from it lacks them too.
    const third = { ...second, previous: { ...second.previous, control: { ...before.done, facts: cold.done.facts } } };
    const after = await control(third as IterationContext, results);
    assert.equal(after.done.facts.behind, true);
  });

  it('is no model of the loop, and a search for its images calls it a control', async () => {
    const config = withControl();
    const own = context({ config });
    const results = await upToDecide(own);
    const { arm, done } = await control(own, results);
    await secondAfter({ ...results, control: done }, config);
    const { taxonomies } = await readCatalogue(store, 'cars');
    assert.deepEqual(
      taxonomies.flatMap(({ models }) => models.map(({ name, model }) => [name, model.scan])),
      [['cars:1', results.train?.outputs.scan]],
    );
    const images = new Set((await trainer.jobs()).at(-1)?.train);
    const request = { pool: 'cars', images, names: new Set<string>(), unknown: new Set<string>(), everywhere: true };
    const { models, loops } = await findTraces(store, { ...request, onProgress: () => undefined });
    const roleOf = new Map(models.map(({ model, role }) => [model, role]));
    assert.equal(roleOf.get(arm.outputs.scan ?? ''), 'control');
    const trainingSet = await idsIn(results.sample?.outputs.trainingSet);
    assert.equal(loops[0]?.inTraining, trainingSet.filter((imageId) => images.has(imageId)).length);
  });

  it('changes no digest of an iteration: neither of its picks nor of a report without one', async () => {
    const without = context();
    const results = await upToDecide(without);
    const withIt = context({ config: withControl() });
    const { controlArm: _, ...older } = without.config.sample;
    // The input of an activity comes from a history of that time, which nobody parses again.
    const before = context({ config: { ...without.config, sample: older } as LoopConfig });
    for (const own of [withIt, before]) {
      const { outcome, digest } = await createSampleActivities(deps).sample({ context: own, results });
      assert.deepEqual([outcome, digest], ['hit', results.sample?.digest]);
    }
    const report = await createReportActivities(deps).report({ context: without, results });
    const again = await createReportActivities(deps).report({ context: before, results });
    assert.deepEqual([again.outcome, again.digest], ['hit', report.digest]);
  });
});

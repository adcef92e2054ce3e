import {
  type ControlComparison,
  compareWithControl,
  controlComparisonSchema,
  controlFacts,
  noControl,
} from '../domain/control/comparison.js';
import { type ControlResult, controlStep } from '../domain/control/step.js';
import { recordedGateConfig } from '../domain/decide/config.js';
import { factOf, neededBy, outputOf } from '../domain/stepContract.js';
import type { IterationContext, StepInput } from '../domain/steps.js';
import { evaluationRowSchema } from '../domain/tables.js';
import { modelCardSchema } from '../domain/train/modelCard.js';
import { type ArmResult, armPart } from '../domain/train/step.js';
import { evaluateModel } from '../inference/evaluation/evaluateModel.js';
import { evaluationRows } from '../inference/evaluation/evaluationRows.js';
import { type DrawnChunk, readControlSet } from '../pool/controlSet.js';
import type { ActivityDeps } from '../steps/deps.js';
import { type Heartbeat, withHeartbeat } from '../steps/heartbeat.js';
import { poolOf } from '../steps/pool.js';
import { type Attempt, isForced, runStep } from '../steps/runStep.js';
import { readLoopState } from '../storage/loopState.js';
import type { ObjectStore } from '../storage/objects/objectStore.js';
import { readJson, writeJson } from '../storage/tables/json.js';
import { readTable } from '../storage/tables/table.js';
import { warmStartOfControl } from '../training/settings/warmStart.js';
import { trainModel } from '../training/trainModel.js';

interface CompareInput extends StepInput {
  /** The training of the control. */
  arm: ArmResult;
}

interface SkipInput extends StepInput {
  /** Why there is no control. */
  why: string;
}

/** The training of a control, for the workers that train. */
export function createArmActivities(deps: ActivityDeps) {
  return { trainControl: (input: StepInput) => trainControl(deps, input) };
}

/** Step control: the iteration's model beside one that was trained on random images. */
export function createControlActivities(deps: ActivityDeps) {
  return {
    compareControl: (input: CompareInput) => compareControl(deps, input),
    skipControl: (input: SkipInput) => skipControl(deps, input),
  };
}

/** Train on a random training set as the iteration has trained on its own: equal settings, seed and length. */
async function trainControl(deps: ActivityDeps, { context, results }: StepInput): Promise<ArmResult> {
  const { draw, sample } = neededBy('control', results, ['draw', 'sample']);
  const { store } = deps;
  const { pool: name, seed, train: config } = context.config;
  const poolVersion = factOf(draw, 'poolVersion');
  const rows = await withHeartbeat(async () => {
    const own = { iteration: context.iteration, seed, chunk: outputOf(draw, 'chunk') };
    const chunks = [...(await earlierChunks(store, context)), own];
    const pool = { pool: await poolOf(deps, name), version: poolVersion };
    return readControlSet(store, pool, chunks, outputOf(sample, 'trainingSet'));
  });
  const warmStart = await warmStartOfControl(store, context);
  // The seed of step train: equal first weights and an equal order of images by their number.
  return trainModel(deps, context, armPart, { seedParts: ['train'], rows, poolVersion, config, warmStart });
}

async function earlierChunks(store: ObjectStore, { loop, iteration }: IterationContext): Promise<DrawnChunk[]> {
  const { iterations } = await readLoopState(store, loop);
  return iterations.flatMap(({ iteration: number, current: { status, config, results } }) =>
    number < iteration && status === 'finished' && results.draw !== undefined
      ? [{ iteration: number, seed: config.seed, chunk: outputOf(results.draw, 'chunk') }]
      : [],
  );
}

async function compareControl(deps: ActivityDeps, { context, results, arm }: CompareInput): Promise<ControlResult> {
  const { store } = deps;
  const { loop, iteration, config } = context;
  const { sample, train, evaluate } = neededBy('control', results, ['sample', 'train', 'evaluate']);
  const gate = recordedGateConfig(config.gate);
  const behind = await isBehind(store, context, train, arm);
  const { taxonomy } = await poolOf(deps, config.pool);
  return withHeartbeat((beat) =>
    runStep(store, context, controlStep, inputsOf(context, results, { arm, behind, why: null }), async (attempt) => {
      const judged = await evaluateArm(deps, { context, results, arm }, beat);
      const comparison = compareWithControl({
        model: await evaluationRows(store, outputOf(evaluate, 'images'), { loop, iteration }),
        control: await readTable(store, judged.images, evaluationRowSchema),
        // Older trainings do not say it.
        trainedOn: train.facts.images ?? factOf(sample, 'trainingSet'),
        controlTrainedOn: factOf(arm, 'images'),
        ...{ behind, taxonomy, gate, seed: config.seed },
      });
      const { weights } = arm.outputs;
      const outputs = {
        comparison: await writeComparison(attempt, comparison),
        controlImages: judged.images,
        controlCard: outputOf(arm, 'card'),
        ...(weights === undefined ? {} : { controlWeights: weights }),
      };
      return { outputs, facts: controlFacts(comparison, behind) };
    }),
  );
}

/** An iteration goes on without its control. */
async function skipControl({ store, log }: ActivityDeps, { context, results, why }: SkipInput): Promise<ControlResult> {
  const { loop, iteration } = context;
  const inputs = inputsOf(context, results, { arm: null, behind: false, why });
  return withHeartbeat(() =>
    runStep(store, context, controlStep, inputs, async (attempt) => {
      log.warn({ loop, iteration, why }, 'the iteration goes on without its control');
      const comparison = noControl(why);
      return {
        outputs: { comparison: await writeComparison(attempt, comparison) },
        facts: controlFacts(comparison, false),
      };
    }),
  );
}

function inputsOf(
  { config, iteration }: IterationContext,
  results: StepInput['results'],
  { arm, behind, why }: { arm: ArmResult | null; behind: boolean; why: string | null },
) {
  const { train, evaluate } = neededBy('control', results, ['train', 'evaluate']);
  const { alpha, resamples } = recordedGateConfig(config.gate);
  return {
    ...{ arm: arm?.digest ?? null, train: train.digest, evaluate: evaluate.digest, alpha, resamples },
    ...{ seed: config.seed, iteration, behind, why },
  };
}

/** Whether the weights of the control lack trainings that those of the loop's model began with, here or before. */
async function isBehind(
  store: ObjectStore,
  { previous }: IterationContext,
  train: NonNullable<StepInput['results']['train']>,
  arm: ArmResult,
): Promise<boolean> {
  const startOf = async (result: ArmResult) =>
    (await readJson(store, outputOf(result, 'card'), modelCardSchema)).startedFrom ?? null;
  if ((await startOf(train)) === null) return false;
  return (await startOf(arm)) === null || previous?.control?.facts.behind === true;
}

async function evaluateArm(deps: ActivityDeps, { context, results, arm }: CompareInput, beat: Heartbeat) {
  const { config } = context;
  const { draw } = neededBy('control', results, ['draw']);
  return evaluateModel(deps, {
    pool: config.pool,
    poolVersion: factOf(draw, 'poolVersion'),
    scanKey: outputOf(arm, 'scan'),
    modelDigest: (await readJson(deps.store, outputOf(arm, 'card'), modelCardSchema)).files.scan,
    size: config.evaluationSize,
    config,
    again: isForced(context, 'control'),
    signal: beat.signal,
    onProgress: (done, total) =>
      beat.report({ phase: 'judging test images with the control', done, total, unit: 'images' }),
  });
}

async function writeComparison({ store, key }: Attempt, comparison: ControlComparison): Promise<string> {
  const at = key('control.json');
  await writeJson(store, at, controlComparisonSchema.parse(comparison));
  return at;
}

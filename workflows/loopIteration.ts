import { isCancellation, patched, workflowInfo } from '@temporalio/workflow';
import { scanWorkflowId, tuneWorkflowId } from '../domain/base/ids.js';
import type { ControlResult } from '../domain/control/step.js';
import { loopIterationInputSchema } from '../domain/messages.js';
import { parseRecorded } from '../domain/settings/parse.js';
import { type IterationContext, resultSchemas, type StepResults } from '../domain/steps.js';
import { light, scanning, training } from './activities.js';
import { runOrJoin } from './childWorkflows.js';
import { hasCode, inOwnWords, orFail, rootMessage } from './failures.js';
import { hyperparameterSearch } from './hyperparameterSearch.js';
import { IterationRun } from './iteration/iterationRun.js';
import { HAS_CONTROL, TELLS_THE_LOOP } from './iteration/patches.js';
import { mislabelScan } from './mislabelScan.js';
import { showAttributes } from './searchAttributes.js';

/**
 * One pass of the loop: draw new images, find the mislabelled ones, pick those the model needs, train on all picks,
 * evaluate, decide against the benchmark, search for better settings and train a control if these are enabled, report.
 * Every step that is done with the same inputs is found done, so a retry, a reset and a replay continue at the missing
 * work. An iteration without images to draw ends with no results.
 */
export async function loopIteration(input: unknown = {}): Promise<StepResults> {
  const asked = orFail(() => parseRecorded(loopIterationInputSchema, input, '`loopIteration`'));
  const { kept = {}, board = null, ...context } = asked.context;
  const run = new IterationRun(context, kept, board);
  run.setHandlers();
  showAttributes({ loop: context.loop, iteration: context.iteration });
  try {
    await runSteps(run, context);
    await run.finish();
    return run.results;
  } catch (error) {
    if (hasCode(error, 'pool-exhausted')) {
      if (!patched(TELLS_THE_LOOP)) throw error;
      await run.endWithoutImages();
      return {};
    }
    await run.fail(rootMessage(error));
    throw inOwnWords(error);
  }
}

/** The steps in their order, each with the results of those before it. */
async function runSteps(run: IterationRun, context: IterationContext): Promise<void> {
  const { config } = context;
  const inference = scanning(config.durability);
  const trainer = training(config.durability);
  const inputs = () => ({ context, results: run.results });

  await run.step('draw', () => light.draw(inputs()));
  await run.step('scan', () => scan(inputs()));
  if (config.baselineImages !== null) await trainer.ensureBenchmark(inputs());
  await run.step('sample', () => light.sample(inputs()));
  await run.step('train', () => trainer.train(inputs()));
  await run.step('evaluate', () => inference.evaluate(inputs()));
  await run.step('decide', () => inference.decide(inputs()));
  if (config.tune.enabled) await run.step('tune', () => tune(inputs()));
  if (config.sample.controlArm && patched(HAS_CONTROL)) await run.step('control', () => control(inputs()));
  await run.step('report', () => light.report(inputs()));
}

interface StepInputs {
  context: IterationContext;
  results: StepResults;
}

const scan = ({ context, results }: StepInputs) =>
  runOrJoin(
    mislabelScan,
    {
      workflowId: scanWorkflowId(workflowInfo().workflowId),
      args: [{ context, draw: results.draw }],
      staticSummary: `find mislabelled images of iteration ${context.iteration}`,
    },
    resultSchemas.scan,
  );

/** Search for better training settings for the coming iterations, on this one's training set. */
const tune = (inputs: StepInputs) =>
  runOrJoin(
    hyperparameterSearch,
    {
      workflowId: tuneWorkflowId(workflowInfo().workflowId),
      args: [inputs],
      staticSummary: `try other training settings after iteration ${inputs.context.iteration}`,
    },
    resultSchemas.tune,
  );

/** A model on random images beside the iteration's. If it fails for good, the iteration goes on without it. */
async function control(inputs: StepInputs): Promise<ControlResult> {
  const { durability } = inputs.context.config;
  const inference = scanning(durability);
  try {
    const arm = await training(durability).trainControl(inputs);
    return await inference.compareControl({ ...inputs, arm });
  } catch (error) {
    if (isCancellation(error)) throw error;
    // If a pause cancels the step, so is this.
    return inference.skipControl({ ...inputs, why: rootMessage(error) });
  }
}

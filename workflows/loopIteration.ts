import {
  CancellationScope,
  condition,
  defineQuery,
  defineSignal,
  executeChild,
  getExternalWorkflowHandle,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { iterationDetails } from '../domain/detailsTable.js';
import { loopWorkflowId, scanWorkflowId, tuneWorkflowId } from '../domain/ids.js';
import { type IterationFinished, loopIterationInputSchema, parseRequest } from '../domain/messages.js';
import type { Step, StepResult, StepResults } from '../domain/steps.js';
import { bookkeeping, light, scanning, training } from './activities.js';
import { hasCode, orFail, rootMessage } from './failures.js';
import { hyperparameterSearch } from './hyperparameterSearch.js';
import { mislabelScan } from './mislabelScan.js';
import { showAttributes } from './searchAttributes.js';

export const iterationFinishedSignal = defineSignal<[IterationFinished]>('iterationFinished');
export const pauseIterationSignal = defineSignal<[boolean]>('setPaused');
export const iterationProgressQuery = defineQuery<{ step: Step | null; results: StepResults }>('progress');

/**
 * One pass of the loop: draw new images, find the mislabelled ones, pick those the model needs, train on all picks,
 * evaluate, decide against the benchmark, search for better settings where that is enabled, report. Every step that is done with the same inputs is found done, so a
 * retry, a reset and a replay go on where work is missing.
 */
export async function loopIteration(input: unknown = {}): Promise<StepResults> {
  const { context } = orFail(() => parseRequest(loopIterationInputSchema, input, '`loopIteration`'));
  const { loop, iteration, config } = context;
  const inference = scanning(config.durability);
  const trainer = training(config.durability);
  const results: StepResults = {};
  let current: Step | null = null;
  let paused = false;

  setHandler(
    pauseIterationSignal,
    (value) => {
      paused = value;
    },
    { description: 'Hold before the next step, or go on' },
  );
  setHandler(iterationProgressQuery, () => ({ step: current, results }), {
    description: 'The step under way and the results so far',
  });
  showAttributes({ loop, iteration });

  try {
    await step('draw', () => light.draw({ context, results }));
    await step('scan', () =>
      executeChild(mislabelScan, {
        workflowId: scanWorkflowId(workflowInfo().workflowId),
        args: [{ context, draw: results.draw }],
        staticSummary: `find mislabelled images of iteration ${iteration}`,
      }),
    );
    if (config.baselineImages !== null) await trainer.ensureBenchmark({ context, results });
    await step('sample', () => light.sample({ context, results }));
    await step('train', () => trainer.train({ context, results }));
    await step('evaluate', () => inference.evaluate({ context, results }));
    await step('decide', () => inference.decide({ context, results }));
    if (config.tune.enabled) await step('tune', search);
    await step('report', () => light.report({ context, results }));
    current = null;
    await tellLoop('finished', null);
    return results;
  } catch (error) {
    // A pool without new images is no failure of this iteration: the loop waits and runs it again, and nothing is recorded.
    if (!hasCode(error, 'pool-exhausted'))
      await CancellationScope.nonCancellable(() => tellLoop('failed', rootMessage(error)));
    throw error;
  }

  /** Better training settings for the iterations to come, on what this one trained on. */
  async function search(): Promise<StepResult> {
    return executeChild(hyperparameterSearch, {
      workflowId: tuneWorkflowId(workflowInfo().workflowId),
      args: [{ context, results }],
      staticSummary: `try other training settings after iteration ${iteration}`,
    });
  }

  async function step(name: Step, work: () => Promise<StepResult>): Promise<void> {
    await condition(() => !paused);
    current = name;
    showAttributes({ step: name });
    setCurrentDetails(iterationDetails(current, results, config));
    const startedAt = Date.now();
    const result = await work();
    // The step's own time, with what it waited for; the activity knows only its part.
    results[name] =
      result.outcome === 'hit' ? result : { ...result, seconds: Math.round((Date.now() - startedAt) / 100) / 10 };
    if (typeof results.evaluate?.facts.miou === 'number') showAttributes({ miou: results.evaluate.facts.miou });
    if (typeof results.decide?.facts.gate === 'string') showAttributes({ gate: results.decide.facts.gate });
    if (results.train !== undefined) showAttributes({ model: results.train.digest.slice(0, 12) });
    setCurrentDetails(iterationDetails(current, results, config));
  }

  /** The record in the store is the truth; the signal only wakes a loop that waits, also one that saw an earlier run fail. */
  async function tellLoop(status: 'finished' | 'failed', error: string | null): Promise<void> {
    await bookkeeping.recordIteration({ context, results, status, error, runId: workflowInfo().runId });
    try {
      await getExternalWorkflowHandle(loopWorkflowId(loop)).signal(iterationFinishedSignal, {
        iteration,
        status,
        error,
        results,
      });
    } catch {
      // No loop runs under this id: the record is enough, the loop reads it when it starts.
    }
  }
}

import {
  CancellationScope,
  condition,
  defineQuery,
  defineSignal,
  getExternalWorkflowHandle,
  isCancellation,
  patched,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { loopWorkflowId, scanWorkflowId, tuneWorkflowId } from '../domain/base/ids.js';
import { iterationDetails } from '../domain/loop/details.js';
import {
  type IterationFinished,
  type IterationHeld,
  type IterationProgress,
  loopIterationInputSchema,
  parseRecorded,
} from '../domain/messages.js';
import { resultSchemas, type Step, type StepResults } from '../domain/steps.js';
import type { TuneResult } from '../domain/tune/step.js';
import { QUERIES, SIGNALS } from '../domain/workflowNames.js';
import { bookkeeping, light, scanning, training } from './activities.js';
import { runOrJoin } from './childWorkflows.js';
import { hasCode, mayPass, orFail, rootMessage } from './failures.js';
import { hyperparameterSearch } from './hyperparameterSearch.js';
import { mislabelScan } from './mislabelScan.js';
import { showAttributes } from './searchAttributes.js';

export const iterationFinishedSignal = defineSignal<[IterationFinished]>(SIGNALS.iterationFinished);
export const iterationHeldSignal = defineSignal<[IterationHeld]>(SIGNALS.iterationHeld);
export const pauseIterationSignal = defineSignal<[boolean, boolean?]>(SIGNALS.setPaused);
export const iterationProgressQuery = defineQuery<IterationProgress>(QUERIES.progress);

/** Histories from before iterations told their loop that they hold, and ended without failing where no image is new. */
const TELLS_THE_LOOP = 'iteration-tells-the-loop';

/** Histories from before a step that a fault ended while a pause cancelled it was held too. */
const HOLDS_OVER_FAULTS = 'holds-over-faults';

/**
 * One pass of the loop: draw new images, find the mislabelled ones, pick those the model needs, train on all picks,
 * evaluate, decide against the benchmark, search for better settings where that is enabled, report. Every step that is
 * done with the same inputs is found done, so a retry, a reset and a replay go on where work is missing. An iteration
 * without images to draw ends with no results.
 */
export async function loopIteration(input: unknown = {}): Promise<StepResults> {
  const asked = orFail(() => parseRecorded(loopIterationInputSchema, input, '`loopIteration`'));
  const { kept = {}, ...context } = asked.context;
  const { loop, iteration, config } = context;
  const inference = scanning(config.durability);
  const trainer = training(config.durability);
  const loopHandle = getExternalWorkflowHandle(loopWorkflowId(loop));
  const iterationScope = CancellationScope.current();
  let results: StepResults = {};
  let current: Step | null = null;
  let paused = false;
  let held = false;
  /** Where the step under way runs, for a pause that does not wait for its end. */
  let stepScope: CancellationScope | null = null;

  setHandler(
    pauseIterationSignal,
    (value, now = false) => {
      paused = value;
      if (value && now) stepScope?.cancel();
    },
    { description: 'Hold before the next step, or go on; with a second `true` the step under way saves and holds' },
  );
  setHandler(iterationProgressQuery, () => ({ step: current, held, results }), {
    description: 'The step under way, whether it holds, and the results so far',
  });
  showAttributes({ loop, iteration });

  try {
    await step('draw', () => light.draw({ context, results }));
    await step('scan', () =>
      runOrJoin(
        mislabelScan,
        {
          workflowId: scanWorkflowId(workflowInfo().workflowId),
          args: [{ context, draw: results.draw }],
          staticSummary: `find mislabelled images of iteration ${iteration}`,
        },
        resultSchemas.scan,
      ),
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
    // A pool without new images is no failure: nothing is recorded, and the loop runs this iteration again when it grew.
    if (hasCode(error, 'pool-exhausted')) {
      if (!patched(TELLS_THE_LOOP)) throw error;
      setCurrentDetails('The pool has no new images; the loop waits for some.');
      await signalLoop({ iteration, status: 'no-images', error: null });
      return {};
    }
    await CancellationScope.nonCancellable(() => tellLoop('failed', rootMessage(error)));
    throw error;
  }

  /** Better training settings for the iterations to come, on what this one trained on. */
  async function search(): Promise<TuneResult> {
    return runOrJoin(
      hyperparameterSearch,
      {
        workflowId: tuneWorkflowId(workflowInfo().workflowId),
        args: [{ context, results }],
        staticSummary: `try other training settings after iteration ${iteration}`,
      },
      resultSchemas.tune,
    );
  }

  async function step<Name extends Step>(
    name: Name,
    work: () => Promise<NonNullable<StepResults[Name]>>,
  ): Promise<void> {
    await holdWhilePaused();
    const done = kept[name];
    if (done !== undefined) {
      results = { ...results, [name]: { ...done, outcome: 'hit' } };
      return;
    }
    current = name;
    showAttributes({ step: name });
    setCurrentDetails(iterationDetails(current, results, config));
    const startedAt = Date.now();
    const result = await inScope(work);
    // The step's own time, with what it waited for; the activity knows only its part.
    const seconds = result.outcome === 'hit' ? result.seconds : Math.round((Date.now() - startedAt) / 100) / 10;
    results = { ...results, [name]: { ...result, seconds } };
    const [miou, gate] = [results.evaluate?.facts.miou, results.decide?.facts.gate];
    if (miou != null) showAttributes({ miou });
    if (gate != null) showAttributes({ gate });
    if (results.train !== undefined) showAttributes({ model: results.train.digest.slice(0, 12) });
    setCurrentDetails(iterationDetails(current, results, config));
  }

  /** A step; where a pause cancels it, what it saved stays and it goes on from there afterwards. */
  async function inScope<Result>(work: () => Promise<Result>): Promise<Result> {
    for (;;) {
      const scope = new CancellationScope();
      stepScope = scope;
      try {
        return await scope.run(work);
      } catch (error) {
        const isHeld = scope.consideredCancelled && !iterationScope.consideredCancelled;
        // What is being cancelled is not tried again: a fault that passes ends it in place of the cancellation.
        const isOver = isCancellation(error) || (isHeld && mayPass(error) && patched(HOLDS_OVER_FAULTS));
        if (!isHeld || !isOver) throw error;
      } finally {
        stepScope = null;
      }
      await holdWhilePaused();
    }
  }

  async function holdWhilePaused(): Promise<void> {
    if (!paused) return;
    if (!patched(TELLS_THE_LOOP)) return condition(() => !paused);
    held = true;
    setCurrentDetails(`**Paused** before the step goes on\n\n${iterationDetails(current, results, config)}`);
    await tellHeld();
    await condition(() => !paused);
    held = false;
    await tellHeld();
  }

  async function tellHeld(): Promise<void> {
    // A loop that does not run has nobody to show it to.
    await loopHandle.signal(iterationHeldSignal, { iteration, held }).catch(() => undefined);
  }

  /** The record in the store is the truth; the signal only wakes a loop that waits, also one that saw an earlier run fail. */
  async function tellLoop(status: 'finished' | 'failed', error: string | null): Promise<void> {
    await bookkeeping.recordIteration({ context, results, status, error, runId: workflowInfo().runId });
    await signalLoop({ iteration, status, error });
  }

  async function signalLoop(message: IterationFinished): Promise<void> {
    try {
      await loopHandle.signal(iterationFinishedSignal, message);
    } catch {
      // No loop runs under this id: the record is enough, the loop reads it when it starts.
    }
  }
}

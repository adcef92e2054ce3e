import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  getExternalWorkflowHandle,
  isCancellation,
  ParentClosePolicy,
  setCurrentDetails,
  setHandler,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import { type LoopConfig, loopConfigSchema } from '../domain/config.js';
import { loopDetails } from '../domain/detailsTable.js';
import { iterationWorkflowId, parseLoopWorkflowId } from '../domain/ids.js';
import {
  type IterationFinished,
  type LoopStatus,
  parseRequest,
  type RetryIteration,
  type RunIterations,
  type RunIterationsAnswer,
  retryIterationSchema,
  runIterationsSchema,
  type StopLoop,
  stopSchema,
  trainingLoopInputSchema,
} from '../domain/messages.js';
import { withTunedSettings } from '../domain/tune/space.js';
import { bookkeeping } from './activities.js';
import { hasCode, orFail, rootMessage } from './failures.js';
import { iterationFinishedSignal, loopIteration, pauseIterationSignal } from './loopIteration.js';
import { showAttributes } from './searchAttributes.js';

export const runIterationsUpdate = defineUpdate<RunIterationsAnswer, [RunIterations]>('runIterations');
export const retryIterationUpdate = defineUpdate<LoopStatus, [RetryIteration]>('retryIteration');
export const pauseUpdate = defineUpdate<LoopStatus>('pause');
export const resumeUpdate = defineUpdate<LoopStatus>('resume');
export const setConfigUpdate = defineUpdate<LoopStatus, [{ config: LoopConfig }]>('setConfig');
export const adoptProposalUpdate = defineUpdate<LoopStatus>('adoptProposal');
export const stopUpdate = defineUpdate<LoopStatus, [StopLoop]>('stop');
export const poolGrewSignal = defineSignal('poolGrew');
export const statusQuery = defineQuery<LoopStatus>('status');

/**
 * The loop itself, one workflow a loop, never-ending: waits for a request, runs one iteration at a time as a child,
 * records what failed and offers a retry. The store holds what the loop has done; this workflow holds only what it is
 * about to do, so that a stopped loop goes on at the next iteration.
 */
export async function trainingLoop(raw: unknown = {}): Promise<LoopStatus> {
  const loop = orFail(() => parseLoopWorkflowId(workflowInfo().workflowId));
  const input = orFail(() => parseRequest(trainingLoopInputSchema, raw, '`trainingLoop`'));

  let { config, remaining, pending, paused } = input;
  let retry: { iteration: number; from: RetryIteration['from'] } | null = null;
  let running: { iteration: number; scope: CancellationScope } | null = null;
  let finished: IterationFinished | null = null;
  let stopping = false;
  let waitingForImages = false;
  let poolGrew = false;
  let error: string | null = null;
  let rows: LoopStatus['rows'] = [];
  let proposal: LoopStatus['proposal'] = null;
  let next = 0;

  setHandler(statusQuery, status, {
    description: 'Phase, current iteration, what remains, and the last 20 iterations',
  });
  setHandler(runIterationsUpdate, runIterations, {
    description: 'Run iterations with a resolved configuration',
    validator: (request) => void asRunIterations(request),
  });
  setHandler(retryIterationUpdate, retryIteration, {
    description: 'Do an iteration again, from a step on if one is named',
    validator: (request) => void asRetry(request),
  });
  setHandler(pauseUpdate, () => setPaused(true), { description: 'Hold before the next step' });
  setHandler(resumeUpdate, () => setPaused(false), { description: 'Go on after a pause' });
  setHandler(setConfigUpdate, setConfig, {
    description: 'Configuration of the iterations to come',
    validator: (request) => void asConfig(request),
  });
  setHandler(
    adoptProposalUpdate,
    async () => {
      await adoptProposal();
      return status();
    },
    { description: 'Train the iterations to come with the settings that the last search proposed' },
  );
  setHandler(stopUpdate, stop, {
    description: 'End the loop after its iteration, or now; it can be started again',
    validator: (request) => void asStop(request),
  });
  setHandler(
    poolGrewSignal,
    () => {
      poolGrew = true;
    },
    { description: 'New images were added to the pool' },
  );
  setHandler(
    iterationFinishedSignal,
    (message) => {
      finished = message;
    },
    { description: 'Sent by an iteration at its end' },
  );

  showAttributes({ loop });
  await loadLoop();
  show();

  while (!stopping) {
    const somethingToDo = await condition(
      () =>
        stopping ||
        finished !== null ||
        (!paused && (retry !== null || (remaining > 0 && error === null && (!waitingForImages || poolGrew)))),
      '1 hour',
    );
    if (stopping) break;
    if (finished !== null) await takeResult(finished);
    else if (somethingToDo || (waitingForImages && !paused)) await runNext();
    if (workflowInfo().continueAsNewSuggested && !stopping) {
      await condition(allHandlersFinished);
      await continueAsNew<typeof trainingLoop>({ config, remaining, pending, paused });
    }
  }
  await condition(allHandlersFinished);
  return status();

  /** One iteration: a retry that was asked for, else the next new one. */
  async function runNext(): Promise<void> {
    const isRetry = retry !== null;
    const iteration = retry?.iteration ?? next;
    const from = retry?.from ?? null;
    retry = null;
    error = null;
    waitingForImages = poolGrew = false;
    if (config === null && !isRetry) return;
    finished = null;
    const scope = new CancellationScope();
    running = { iteration, scope };
    show();
    try {
      const context = await bookkeeping.prepareIteration({ loop, iteration, config, from });
      config ??= context.config;
      await scope.run(async () => {
        try {
          const child = await startChild(loopIteration, {
            workflowId: iterationWorkflowId(loop, iteration),
            args: [{ context }],
            parentClosePolicy: ParentClosePolicy.ABANDON,
            staticSummary: `iteration ${iteration} of ${loop}`,
          });
          if (paused) await child.signal(pauseIterationSignal, true);
          await Promise.race([
            child.result(),
            // Not cancelled with the iteration: a loop that ended before it would take the request to cancel with it.
            CancellationScope.nonCancellable(() =>
              condition(() => finished?.iteration === iteration && finished.status === 'finished'),
            ),
          ]);
        } catch (problem) {
          if (!(problem instanceof WorkflowExecutionAlreadyStartedError)) throw problem;
          await joinRunning(iteration);
        }
      });
    } catch (problem) {
      failIteration(iteration, problem);
    } finally {
      running = null;
    }
    if (finished !== null) await takeResult(finished);
    show();
  }

  /** The iteration runs already, under a run that this loop did not start: its signal says when it ends. */
  async function joinRunning(iteration: number): Promise<void> {
    while (!(await condition(() => finished?.iteration === iteration, '10 minutes'))) {
      if (!(await bookkeeping.isRunning({ workflowId: iterationWorkflowId(loop, iteration) }))) return;
    }
  }

  function failIteration(iteration: number, problem: unknown): void {
    if (isCancellation(problem) && stopping) return;
    if (hasCode(problem, 'pool-exhausted')) {
      waitingForImages = true;
      return;
    }
    error = `iteration ${iteration}: ${rootMessage(problem)}`;
  }

  /** Takes over what an iteration said at its end; the store is read again, so that nothing is counted twice. */
  async function takeResult(message: IterationFinished): Promise<void> {
    finished = null;
    const wasNext = message.iteration === next;
    await loadLoop();
    if (message.status === 'failed') {
      if (!waitingForImages && !stopping) error ??= `iteration ${message.iteration}: ${message.error ?? 'failed'}`;
    } else {
      error = null;
      if (wasNext && remaining > 0) remaining -= 1;
      if (wasNext && proposal !== null && config?.tune.adopt === 'auto') await adoptProposal();
      if (remaining === 0 && pending !== null) {
        ({ config } = pending);
        remaining = pending.iterations;
        pending = null;
      }
    }
    const latest = rows.at(-1);
    showAttributes({
      ...(latest?.miou == null ? {} : { miou: latest.miou }),
      ...(latest?.gate == null ? {} : { gate: latest.gate }),
    });
    show();
  }

  async function loadLoop(): Promise<void> {
    const loaded = await bookkeeping.loadLoop({ loop });
    ({ next, rows } = loaded);
    // A history from before there were searches has none.
    proposal = loaded.proposal ?? null;
  }

  /** What was proposed goes into the configuration under way, and, in the store, into that of every later start. */
  async function adoptProposal(): Promise<void> {
    const { settings } = await bookkeeping.adoptProposal({ loop });
    proposal = null;
    if (config !== null) {
      const train = withTunedSettings(config.train, settings);
      config = orFail(() => parseRequest(loopConfigSchema, { ...config, train }, 'the adopted settings'));
    }
    show();
  }

  async function runIterations(request: RunIterations): Promise<RunIterationsAnswer> {
    const asked = asRunIterations(request);
    await condition(() => next > 0);
    const nextIteration = next;
    if (remaining === 0 || (error !== null && running === null)) {
      config = asked.config;
      remaining = asked.iterations;
      error = null;
      show();
      return { outcome: 'started', loop, nextIteration };
    }
    if (pending !== null) return { outcome: 'joined', loop, nextIteration };
    pending = asked;
    show();
    return { outcome: 'queued', loop, nextIteration };
  }

  async function retryIteration(request: RetryIteration): Promise<LoopStatus> {
    const asked = asRetry(request);
    await condition(() => next > 0);
    if (running === null) {
      const latest = error === null ? Math.max(1, next - 1) : next;
      retry = { iteration: asked.iteration ?? latest, from: asked.from };
      error = null;
      show();
    }
    return status();
  }

  async function setPaused(value: boolean): Promise<LoopStatus> {
    paused = value;
    if (running !== null)
      await getExternalWorkflowHandle(iterationWorkflowId(loop, running.iteration)).signal(pauseIterationSignal, value);
    show();
    return status();
  }

  function setConfig(request: { config: LoopConfig }): LoopStatus {
    config = asConfig(request);
    show();
    return status();
  }

  function stop(request: StopLoop): LoopStatus {
    const { now } = asStop(request);
    stopping = true;
    remaining = 0;
    if (now) running?.scope.cancel();
    show();
    return status();
  }

  function phase(): LoopStatus['phase'] {
    if (stopping && running === null) return 'stopped';
    if (paused) return 'paused';
    if (running !== null) return 'running';
    if (waitingForImages) return 'waiting for images';
    return error === null ? (remaining > 0 || retry !== null ? 'running' : 'idle') : 'failed';
  }

  function status(): LoopStatus {
    return {
      loop,
      phase: phase(),
      iteration: running?.iteration ?? null,
      step: null,
      remaining,
      pending: pending?.iterations ?? null,
      nextIteration: next,
      error,
      proposal,
      rows,
    };
  }

  function show(): void {
    setCurrentDetails(loopDetails(status(), config));
  }
}

// What an update asks for. Each is looked at before the update is accepted: a refused one leaves nothing in the history, which
// a later version of the schema would have to refuse again in every replay.
const asRunIterations = (request: unknown) =>
  orFail(() => parseRequest(runIterationsSchema, request, '`runIterations`'));
const asRetry = (request: unknown) => orFail(() => parseRequest(retryIterationSchema, request, '`retryIteration`'));
const asStop = (request: unknown) => orFail(() => parseRequest(stopSchema, request, '`stop`'));
const asConfig = ({ config }: { config: unknown }) =>
  orFail(() => parseRequest(runIterationsSchema, { config }, '`setConfig`')).config;

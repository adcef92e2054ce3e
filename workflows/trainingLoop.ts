import {
  ApplicationFailure,
  allHandlersFinished,
  condition,
  continueAsNew,
  getExternalWorkflowHandle,
  patched,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { iterationWorkflowId, parseLoopWorkflowId } from '../domain/base/ids.js';
import { type LoopConfig, loopConfigSchema } from '../domain/config.js';
import { loopDetails } from '../domain/loop/details.js';
import {
  begun,
  carried,
  type Deed,
  ended,
  endingTold,
  looked,
  loopMachine,
  loopMachineSchema,
  nextDeed,
  poolGrew,
  prepared,
  told,
  toldHeld,
  wasRead,
} from '../domain/loop/machine.js';
import { runAgain, setConfig, setPaused, start, stop } from '../domain/loop/requests.js';
import { statusOf } from '../domain/loop/status.js';
import {
  configWith,
  type LoopStatus,
  parseRecorded,
  parseRequest,
  type RetryIteration,
  type RunIterations,
  type RunIterationsAnswer,
  type StopLoop,
} from '../domain/messages.js';
import { withTunedSettings } from '../domain/tune/space.js';
import { bookkeeping } from './activities.js';
import { orFail } from './failures.js';
import { iterationFinishedSignal, iterationHeldSignal, pauseIterationSignal } from './loopIteration.js';
import {
  adoptProposalUpdate,
  asConfig,
  asPause,
  asRetry,
  asRunIterations,
  asStop,
  pauseUpdate,
  poolGrewSignal,
  poolOfNews,
  resumeUpdate,
  retryIterationUpdate,
  runIterationsUpdate,
  setConfigUpdate,
  statusQuery,
  stopUpdate,
} from './loopMessages.js';
import { LOOKS_AGAIN, WAITS_FOR_THE_END } from './loopPatches.js';
import { RunningIteration } from './runningIteration.js';
import { showAttributes } from './searchAttributes.js';

/**
 * The loop itself, one workflow a loop, never-ending: handlers and a short loop over the machine of
 * `domain/loop/machine.ts`. It runs one iteration at a time as a child, records what failed and offers a retry. The store
 * holds what the loop has done; this workflow holds only what it is about to do, so that a stopped loop goes on at the next
 * iteration.
 */
export async function trainingLoop(raw: unknown = {}): Promise<LoopStatus> {
  const loop = orFail(() => parseLoopWorkflowId(workflowInfo().workflowId));
  let machine = loopMachine(orFail(() => parseRecorded(loopMachineSchema, raw, '`trainingLoop`')));
  let underWay: RunningIteration | null = null;

  setHandler(statusQuery, status, {
    description: 'Phase, current iteration, what remains, and the last 20 iterations',
  });
  setHandler(runIterationsUpdate, runIterations, {
    description: 'Run iterations; settings that are given go on top of those the loop has',
    validator: (request) => {
      const asked = asRunIterations(request, parseRequest);
      refuseEarly(() => start(machine, asked));
    },
  });
  setHandler(retryIterationUpdate, retryIteration, {
    description: 'Go on where an iteration failed, or do an iteration again from a step on',
    validator: (request) => {
      const asked = asRetry(request, parseRequest);
      refuseEarly(() => runAgain(machine, asked));
    },
  });
  setHandler(pauseUpdate, (request) => hold(true, asPause(request).now), {
    description: 'Hold before the next step, or now, once the step under way has saved',
    validator: (request) => void asPause(request, parseRequest),
  });
  setHandler(resumeUpdate, () => hold(false, false), { description: 'Go on after a pause' });
  setHandler(setConfigUpdate, changeConfig, {
    description: 'Configuration of the iterations to come',
    validator: (request) => {
      const config = asConfig(request, parseRequest);
      refuseEarly(() => setConfig(machine, config));
    },
  });
  setHandler(
    adoptProposalUpdate,
    async () => {
      await adoptProposal();
      return status();
    },
    { description: 'Train the iterations to come with the settings that the last search proposed' },
  );
  setHandler(stopUpdate, stopLoop, {
    description: 'End the loop after its iteration, or now; it can be started again',
    validator: (request) => void asStop(request, parseRequest),
  });
  setHandler(
    poolGrewSignal,
    (news) => {
      machine = poolGrew(machine, poolOfNews(news));
    },
    { description: 'New images were added to the pool: a loop that waits for images looks at once' },
  );
  setHandler(
    iterationFinishedSignal,
    (message) => {
      machine = told(machine, message);
    },
    { description: 'Sent by an iteration at its end' },
  );
  setHandler(
    iterationHeldSignal,
    (message) => {
      machine = toldHeld(machine, message);
    },
    { description: 'Sent by an iteration that holds, and when it goes on' },
  );

  showAttributes({ loop });
  await readStore();
  refuseWithoutConfig();
  show();

  for (;;) {
    const woken = await condition(() => nextDeed(machine).kind !== 'wait' || isLong(), '1 hour');
    const deed: Deed = woken ? nextDeed(machine) : { kind: 'wait' };
    if (deed.kind === 'end' && allHandlersFinished()) return status();
    if (deed.kind === 'end') await condition(allHandlersFinished);
    else if (deed.kind === 'read') await takeNews();
    else if (deed.kind === 'run') await run(deed);
    else await lookAtPool();
    if (workflowInfo().continueAsNewSuggested && machine.running === null && nextDeed(machine).kind !== 'end') {
      await condition(allHandlersFinished);
      await continueAsNew<typeof trainingLoop>(carried(machine));
    }
  }

  /** One iteration, from its preparation until it ended, by itself or by what somebody did to it. */
  async function run({ iteration, from, settings }: Extract<Deed, { kind: 'run' }>): Promise<void> {
    machine = begun(machine, iteration);
    show();
    underWay = new RunningIteration(loop, iteration, () => machine);
    const ending = await underWay.run(async () => {
      const context = await bookkeeping.prepareIteration({ loop, iteration, config: machine.config, from, settings });
      machine = prepared(machine, iteration, context.config);
      return context;
    });
    underWay = null;
    const wasTold = endingTold(machine) !== null;
    machine = ended(machine, ending);
    if (wasTold || patched(LOOKS_AGAIN)) await takeNews();
    else machine = { ...machine, stale: false };
    show();
  }

  /** Takes over what iterations said at their end: the store is read again, so that nothing is counted twice. */
  async function takeNews(): Promise<void> {
    const before = machine.next;
    await readStore();
    if (machine.next > before && machine.proposal !== null && machine.config?.tune.adopt === 'auto')
      await adoptProposal();
    const latest = machine.rows.at(-1);
    showAttributes({
      ...(latest?.miou == null ? {} : { miou: latest.miou }),
      ...(latest?.gate == null ? {} : { gate: latest.gate }),
    });
    show();
  }

  async function readStore(): Promise<void> {
    const record = await bookkeeping.loadLoop({ loop, lookForRunning: machine.next === 0 });
    // Histories from before there were searches and kept settings have neither.
    const known = { ...record, proposal: record.proposal ?? null, config: record.config ?? null };
    machine = wasRead(machine, known, record.running != null && patched(WAITS_FOR_THE_END));
  }

  /** While the loop waits for images: an iteration is worth a try where the pool has another version. */
  async function lookAtPool(): Promise<void> {
    const { waiting, paused, config } = machine;
    if (!waiting || paused || config === null) return;
    if (!patched(LOOKS_AGAIN)) machine = poolGrew(machine);
    else machine = looked(machine, await bookkeeping.poolVersion({ pool: config.pool }));
  }

  /** What was proposed goes into the configuration under way, and, in the store, into that of every later start. */
  async function adoptProposal(): Promise<void> {
    const { settings } = await bookkeeping.adoptProposal({ loop });
    const { config } = machine;
    machine = { ...machine, proposal: null };
    if (config !== null) {
      const train = withTunedSettings(config.train, settings);
      const adopted = orFail(() => parseRecorded(loopConfigSchema, { ...config, train }, 'the adopted settings'));
      machine = setConfig(machine, adopted);
    }
    show();
  }

  async function runIterations(request: RunIterations): Promise<RunIterationsAnswer> {
    const asked = asRunIterations(request);
    await condition(() => machine.next > 0);
    const before = machine;
    const started = orFail(() => start(before, asked));
    machine = started.machine;
    show();
    const { config, pending, remaining, next } = machine;
    const ownConfig = config ?? asked.config;
    const waits = started.outcome === 'queued' || started.outcome === 'joined';
    return {
      outcome: started.outcome,
      loop,
      nextIteration: next,
      remaining: remaining + (pending?.iterations ?? 0),
      config: waits ? (pending?.config ?? configWith(ownConfig, pending?.settings ?? {})) : ownConfig,
    };
  }

  async function retryIteration(request: RetryIteration): Promise<LoopStatus> {
    const asked = asRetry(request);
    await condition(() => machine.next > 0);
    machine = orFail(() => runAgain(machine, asked));
    show();
    return status();
  }

  async function hold(paused: boolean, now: boolean): Promise<LoopStatus> {
    machine = setPaused(machine, paused);
    show();
    if (machine.running !== null) {
      const handle = getExternalWorkflowHandle(iterationWorkflowId(loop, machine.running.iteration));
      // An iteration that just ended needs no telling.
      await handle.signal(pauseIterationSignal, paused, now).catch(() => undefined);
    }
    return status();
  }

  function changeConfig(request: { config: LoopConfig }): LoopStatus {
    machine = orFail(() => setConfig(machine, asConfig(request)));
    show();
    return status();
  }

  function stopLoop(request: StopLoop): LoopStatus {
    const { now } = asStop(request);
    machine = stop(machine, now);
    if (now) underWay?.cancel();
    show();
    return status();
  }

  /** What a request would be refused for is said before it is accepted, so that it leaves nothing in the history. */
  function refuseEarly(work: () => unknown): void {
    // Before the first look at the store nothing is known; the handler looks again.
    if (machine.next > 0) orFail(work);
  }

  /** A loop that a person started by hand, with a number of iterations and nothing that says what they are. */
  function refuseWithoutConfig(): void {
    if (machine.remaining === 0 || machine.config !== null) return;
    throw ApplicationFailure.nonRetryable(
      `loop \`${loop}\` has no settings yet: start the workflow \`startLoop\` instead, under any id; \`{}\` is enough`,
      'input-invalid',
    );
  }

  /** Requests make a history long too, also while nothing runs: a loop that only waited would end with its 2,000th. */
  function isLong(): boolean {
    return workflowInfo().continueAsNewSuggested && machine.running === null && patched(LOOKS_AGAIN);
  }

  function status(): LoopStatus {
    return statusOf(loop, machine);
  }

  function show(): void {
    setCurrentDetails(loopDetails(status(), machine.config));
  }
}

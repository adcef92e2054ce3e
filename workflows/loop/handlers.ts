import { condition, patched, setHandler } from '@temporalio/workflow';
import type { LoopConfig } from '../../domain/config.js';
import { isCounting, poolGrew, told, toldHeld } from '../../domain/loop/machine.js';
import { runAgain, setConfig, setPaused, setPolicy, start, stop } from '../../domain/loop/requests.js';
import type {
  LoopStatus,
  PolicyRequest,
  RetryIteration,
  RunIterations,
  RunIterationsAnswer,
  StopLoop,
} from '../../domain/messages.js';
import { configWith } from '../../domain/settings/loopConfig.js';
import { parseRequest } from '../../domain/settings/parse.js';
import { orFail } from '../failures.js';
import { iterationFinishedSignal, iterationHeldSignal } from '../iteration/messages.js';
import type { LoopRun } from './loopRun.js';
import {
  adoptProposalUpdate,
  approveIterationUpdate,
  asApproval,
  asConfig,
  asPause,
  asPolicy,
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
  setPolicyUpdate,
  statusQuery,
  stopUpdate,
} from './messages.js';
import { SETS_ONCE_READ } from './patches.js';

/** Handle requests of people to a loop, and messages of iterations and imports. */
export function setHandlers(loop: LoopRun): void {
  setHandler(statusQuery, () => loop.status, {
    description: 'Phase, current iteration, what remains, and the last 20 iterations',
  });
  answerWork(loop);
  answerSteering(loop);
  hearNews(loop);
}

/** Requests for iterations. */
function answerWork(loop: LoopRun): void {
  setHandler(runIterationsUpdate, (request) => runIterations(loop, request), {
    description: 'Run iterations; given settings go on top of those of the loop',
    validator: (request) => {
      const asked = asRunIterations(request, parseRequest);
      refuseEarly(loop, () => start(loop.machine, asked));
    },
  });
  setHandler(retryIterationUpdate, (request) => retryIteration(loop, request), {
    description: 'Go on where the iteration failed: {}. Do one again: {"iteration": 2, "from": "train"}',
    validator: (request) => {
      const asked = asRetry(request, parseRequest);
      refuseEarly(loop, () => runAgain(loop.machine, asked));
    },
  });
}

/** Requests that steer current and coming work. */
function answerSteering(loop: LoopRun): void {
  setHandler(pauseUpdate, (request) => hold(loop, true, asPause(request).now), {
    description: 'Hold before the next step: {}, or as soon as the current step has saved its work: {"now": true}',
    validator: (request) => void asPause(request, parseRequest),
  });
  setHandler(resumeUpdate, () => hold(loop, false, false), { description: 'Go on after a pause; no data' });
  setHandler(setConfigUpdate, (request) => changeConfig(loop, request), {
    description: 'Replace all settings of the next iterations: {"config": {…}}',
    validator: (request) => {
      const config = asConfig(request, parseRequest);
      refuseEarly(loop, () => setConfig(loop.machine, config));
    },
  });
  setHandler(setPolicyUpdate, (request) => changePolicy(loop, request), {
    description: 'When the next iterations begin: {"newImages": 5000, "begin": "by-itself"}, or one of both',
    validator: (request) => {
      const policy = asPolicy(request, parseRequest);
      refuseEarly(loop, () => setPolicy(loop.machine, policy));
    },
  });
  setHandler(
    adoptProposalUpdate,
    async () => {
      await loop.adoptProposal();
      return loop.status;
    },
    { description: 'Train the next iterations with the settings that the last search proposed; no data' },
  );
  setHandler(approveIterationUpdate, (request) => loop.approve(asApproval(request)), {
    description:
      'Put a model that waits for approval into production: {} for the last iteration, or {"iteration": 3, "by": "kim"}',
    validator: (request) => void asApproval(request, parseRequest),
  });
  setHandler(stopUpdate, (request) => stopLoop(loop, request), {
    description: 'End the loop after its iteration: {}, or now: {"now": true}. It can be started again',
    validator: (request) => void asStop(request, parseRequest),
  });
}

function hearNews(loop: LoopRun): void {
  setHandler(
    poolGrewSignal,
    (news) => {
      loop.machine = poolGrew(loop.machine, poolOfNews(news));
    },
    { description: 'New images were added to the pool: a loop that waits for images checks at once' },
  );
  setHandler(
    iterationFinishedSignal,
    (message) => {
      loop.machine = told(loop.machine, message);
    },
    { description: 'Sent by an iteration at its end' },
  );
  setHandler(
    iterationHeldSignal,
    (message) => {
      loop.machine = toldHeld(loop.machine, message);
    },
    { description: 'Sent by an iteration that holds, and when it goes on' },
  );
}

/** A request is refused before it is accepted, so that it leaves nothing in the history. */
function refuseEarly(loop: LoopRun, work: () => unknown): void {
  // A loop that has not read the store yet cannot tell; the handler checks again.
  if (loop.isReady) orFail(work);
}

async function runIterations(loop: LoopRun, request: RunIterations): Promise<RunIterationsAnswer> {
  const asked = asRunIterations(request);
  // What remains is known once the store was read after an iteration.
  await condition(() => loop.isReady && !(loop.machine.stale && isCounting(loop.machine)));
  const started = orFail(() => start(loop.machine, asked));
  loop.machine = started.machine;
  loop.show();
  const { config, pending, remaining, next } = loop.machine;
  const ownConfig = config ?? asked.config;
  const waits = started.outcome === 'queued' || started.outcome === 'joined';
  return {
    outcome: started.outcome,
    loop: loop.name,
    nextIteration: next,
    remaining: remaining + (pending?.iterations ?? 0),
    config: waits ? (pending?.config ?? configWith(ownConfig, pending?.settings ?? {})) : ownConfig,
  };
}

async function retryIteration(loop: LoopRun, request: RetryIteration): Promise<LoopStatus> {
  const asked = asRetry(request);
  await condition(() => loop.isReady);
  loop.machine = orFail(() => runAgain(loop.machine, asked));
  loop.show();
  return loop.status;
}

async function hold(loop: LoopRun, paused: boolean, now: boolean): Promise<LoopStatus> {
  loop.machine = setPaused(loop.machine, paused);
  loop.show();
  const { running } = loop.machine;
  if (running !== null) await loop.holdIteration(running.iteration, paused, now);
  return loop.status;
}

async function changeConfig(loop: LoopRun, request: { config: LoopConfig }): Promise<LoopStatus> {
  const config = asConfig(request);
  // Older histories answered at once, from a loop that did not know its own settings yet.
  if (!loop.isReady && patched(SETS_ONCE_READ)) await condition(() => loop.isReady);
  loop.machine = orFail(() => setConfig(loop.machine, config));
  loop.show();
  return loop.status;
}

async function changePolicy(loop: LoopRun, request: PolicyRequest): Promise<LoopStatus> {
  const policy = asPolicy(request);
  await condition(() => loop.isReady);
  loop.machine = orFail(() => setPolicy(loop.machine, policy));
  loop.show();
  await loop.keepPolicy();
  return loop.status;
}

function stopLoop(loop: LoopRun, request: StopLoop): LoopStatus {
  const { now } = asStop(request);
  loop.machine = stop(loop.machine, now);
  if (now) loop.cancelIteration();
  loop.show();
  return loop.status;
}

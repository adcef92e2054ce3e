import { PartloopError } from '../base/errors.js';
import type { LoopConfig, PolicyConfig } from '../config.js';
import type { RetryIteration, RunIterations, RunIterationsAnswer } from '../messages.js';
import { configWith } from '../settings/loopConfig.js';
import { layerRecordSchema, mergeSettings } from '../settings/settings.js';
import { assertMeansSomething } from './keptSteps.js';
import { isCounting, type LoopMachine } from './machine.js';
import { failedRow } from './status.js';

// Requests of people to a loop. Each is a function from a machine to the machine after it, or a refusal with its
// reason.

/**
 * A start. Its settings are merged over the loop's own; `config` is for a loop that has none yet. A loop that failed,
 * waits for images or is about to stop continues.
 *
 * @throws PartloopError `input-invalid` for another pool, and for settings that do not go together
 */
export function start(
  machine: LoopMachine,
  request: RunIterations,
): { machine: LoopMachine; outcome: RunIterationsAnswer['outcome'] } {
  assertPool(machine, request.config);
  const given = request.settings ?? null;
  const now = (changes: Partial<LoopMachine>, remaining: number, outcome: RunIterationsAnswer['outcome']) => ({
    machine: { ...machine, stopping: 'no' as const, config: configOf(machine, request), remaining, ...changes },
    outcome,
  });
  const later = {
    iterations: request.iterations,
    ...(given === null ? { config: request.config } : { settings: given }),
  };
  const { running, stopping, failure, waiting, remaining, pending } = machine;
  if (stopping === 'after' && running !== null) {
    // The stop revoked everything but the running iteration.
    return {
      machine: { ...machine, stopping: 'no', remaining: 1, pending: checked(machine, later) },
      outcome: 'queued',
    };
  }
  // If an iteration runs since before this loop, it is unknown whether it was requested: it counts as the first.
  const isOrphan = running !== null && running.iteration === machine.orphan;
  if (stopping !== 'no' || (remaining === 0 && (running === null || isOrphan)))
    return now({ failure: null, orphan: null, waiting: false }, request.iterations, 'started');
  if (running === null && (failure !== null || waiting)) {
    return now({ failure: null, waiting: false }, Math.max(remaining, request.iterations), 'resumed');
  }
  if (pending === null) return { machine: { ...machine, pending: checked(machine, later) }, outcome: 'queued' };
  const joined = { ...pending, iterations: Math.max(pending.iterations, request.iterations) };
  if (given === null || Object.keys(given).length === 0)
    return { machine: { ...machine, pending: joined }, outcome: 'joined' };
  const merged = { ...joined, settings: layerRecordSchema.parse(mergeSettings(pending.settings ?? {}, given)) };
  return { machine: { ...machine, pending: checked(machine, merged) }, outcome: 'joined' };
}

/**
 * A retry (without `iteration`: the failed iteration continues from its failed step) or a replay (an iteration again,
 * beginning at a step).
 *
 * @throws PartloopError if an iteration runs, if there is none of this number, and if nothing failed
 */
export function runAgain(machine: LoopMachine, asked: RetryIteration): LoopMachine {
  const { running, again } = machine;
  if (running !== null) {
    throw new PartloopError('refused', `iteration ${running.iteration} is running, so nothing can be done again now`, {
      hint: 'Wait for its end, or end it (`partloop iteration cancel LOOP`); then ask again.',
    });
  }
  const wanted = {
    iteration: asked.iteration ?? failedIteration(machine),
    from: asked.from ?? null,
    settings: asked.settings ?? null,
  };
  if (wanted.iteration === null) {
    throw new PartloopError('refused', 'nothing failed, so there is nothing to retry', {
      hint: '`partloop iteration replay LOOP N --from STEP` does an iteration again.',
    });
  }
  const { iteration: number } = wanted;
  if (number >= machine.next && number !== failedIteration(machine)) {
    const last = machine.next - 1;
    throw new PartloopError(
      'not-found',
      `there is no iteration ${number} yet; ${last === 0 ? 'none is done' : `the last one is ${last}`}`,
      {
        hint: '`partloop loop status LOOP` lists them.',
      },
    );
  }
  if (again !== null && again.iteration !== number) {
    throw new PartloopError('refused', `iteration ${again.iteration} waits to be done again first`, {
      hint: 'Ask again when it is done; `partloop loop resume LOOP` if the loop is paused.',
    });
  }
  if (wanted.settings !== null && wanted.from !== null) assertMeansSomething(wanted.from, wanted.settings);
  if (wanted.settings !== null && machine.config !== null) configWith(machine.config, wanted.settings);
  return { ...machine, stopping: 'no', failure: null, again: { ...wanted, iteration: number } };
}

/** The iteration that a retry means: the one that failed here, or whose newest record is a failure. */
export const failedIteration = ({ failure, rows, next }: LoopMachine): number | null =>
  failure?.iteration ?? failedRow(rows, next)?.iteration ?? null;

/** Hold before the next step, or continue. */
export const setPaused = (machine: LoopMachine, paused: boolean): LoopMachine => ({ ...machine, paused });

/** End the loop after its iteration, or now. Requests beyond it are revoked. */
export const stop = (machine: LoopMachine, now: boolean): LoopMachine => ({
  ...machine,
  stopping: now || machine.stopping === 'now' ? 'now' : 'after',
  remaining: Math.min(machine.remaining, machine.running === null ? 0 : 1),
  pending: null,
  again: null,
  running: machine.running === null ? null : { ...machine.running, cancelled: machine.running.cancelled || now },
});

/** @throws PartloopError `input-invalid` for another pool */
export function setConfig(machine: LoopMachine, config: LoopConfig): LoopMachine {
  assertPool(machine, config);
  const isOther = JSON.stringify(config.policy) !== JSON.stringify(machine.config?.policy);
  return isOther ? withPolicy({ ...machine, config }) : { ...machine, config };
}

/** What waits under another policy is looked at anew. */
function withPolicy(machine: LoopMachine): LoopMachine {
  const { waiting, running, remaining } = machine;
  // What was asked for and has not begun yet begins.
  if (isCounting(machine))
    return { ...machine, waiting: waiting || (running === null && remaining === 0), countDue: true };
  return { ...machine, waiting: false, countDue: false, undrawn: null };
}

/**
 * When iterations begin that nobody asked for just now.
 *
 * @throws PartloopError `refused` for a loop that has no settings yet
 */
export function setPolicy(machine: LoopMachine, policy: Partial<PolicyConfig>): LoopMachine {
  if (machine.config === null)
    throw new PartloopError('refused', 'the loop has no settings yet', {
      hint: '`partloop loop start` gives it some; then it can have a policy.',
    });
  return setConfig(machine, configWith(machine.config, { policy }));
}

/** @throws PartloopError `input-invalid` for another pool than the loop's own */
function assertPool({ config }: LoopMachine, { pool }: LoopConfig): void {
  if (config === null || config.pool === pool) return;
  throw new PartloopError('input-invalid', `the loop draws from pool \`${config.pool}\`, not from \`${pool}\``, {
    hint: 'Give a loop over another pool another name.',
  });
}

function configOf({ config }: LoopMachine, request: RunIterations): LoopConfig {
  return request.settings === undefined ? request.config : configWith(config ?? request.config, request.settings);
}

/** Settings of a waiting request are checked when it arrives, not when it begins. */
function checked(machine: LoopMachine, pending: NonNullable<LoopMachine['pending']>): LoopMachine['pending'] {
  if (machine.config !== null && pending.settings !== undefined) configWith(machine.config, pending.settings);
  return pending;
}

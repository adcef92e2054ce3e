import { z } from 'zod';
import { knownPart } from '../base/recorded.js';
import { type LoopConfig, loopConfigSchema } from '../config.js';
import type { IterationFinished, IterationHeld, IterationRow } from '../messages.js';
import { configWith } from '../settings/loopConfig.js';
import { knownSettings, layerRecordSchema } from '../settings/settings.js';
import { type Step, stepSchema } from '../steps.js';
import type { Proposal } from '../tune/proposal.js';
import { iterationsSchema } from './startRequest.js';

const iteration = z.number().int().positive();

/** An iteration that was asked for again, by a retry or a replay. */
const againSchema = z.strictObject({
  iteration,
  /** The step to do again with all steps after it; null: continue from the step that failed. */
  from: stepSchema.nullable(),
  /** Settings for this attempt, merged over its earlier ones. */
  settings: layerRecordSchema.nullable(),
});

/**
 * The plans of a loop. Its record is in the store; `next` and `rows` are the state last read there. Continue-as-new
 * carries all of it, so that no request, failure or message is lost.
 */
export const loopMachineSchema = z.strictObject({
  /** The loop's settings, since its first request. */
  config: loopConfigSchema.nullable().default(null),
  /** Iterations still to finish, including the running one. */
  remaining: z.number().int().min(0).default(0),
  /** The request that begins when nothing remains. */
  pending: z
    .strictObject({
      iterations: iterationsSchema,
      /** The whole configuration: the form of requests before they had `settings`. */
      config: loopConfigSchema.optional(),
      settings: layerRecordSchema.optional(),
    })
    .nullable()
    .default(null),
  paused: z.boolean().default(false),
  stopping: z.enum(['no', 'after', 'now']).default('no'),
  failure: z.strictObject({ iteration, error: z.string() }).nullable().default(null),
  again: againSchema.nullable().default(null),
  /** The pool had no new images; nothing begins until it grows or somebody asks. */
  waiting: z.boolean().default(false),
  /** The pool's images to draw are to be counted before anything begins that nobody asked for just now. */
  countDue: z.boolean().default(false),
  /** How many there were when they were counted last; null if they were not. */
  undrawn: z.number().int().min(0).nullable().default(null),
  /** The pool's version that had none, once it was looked at. */
  poolVersion: z.number().int().nullable().default(null),
  running: z
    .strictObject({
      iteration,
      held: z.boolean(),
      /** The loop's own stop cancelled it. */
      cancelled: z.boolean(),
    })
    .nullable()
    .default(null),
  /**
   * An iteration that already ran when the loop began and was not requested of this loop: it counts as the first of the
   * next start.
   */
  orphan: iteration.nullable().default(null),
  /** Messages of iterations at their end that are not processed yet. */
  inbox: z
    .array(
      z.strictObject({
        iteration,
        status: z.enum(['finished', 'failed', 'no-images']),
        error: z.string().nullable(),
      }),
    )
    .default([]),
  /** The store may know more than `next` and `rows`. */
  stale: z.boolean().default(true),
  /** The iteration after the last that finished; 0 until the store was read. */
  next: z.number().int().min(0).default(0),
});
export type LoopMachine = z.infer<typeof loopMachineSchema> & {
  rows: readonly IterationRow[];
  proposal: Proposal | null;
};

/** The store's record of a loop. */
export interface LoopRecord {
  next: number;
  rows: readonly IterationRow[];
  proposal: Proposal | null;
  /** The settings that were last in force; null for a loop that has done nothing. */
  config: LoopConfig | null;
  /** An iteration of this loop that runs although the loop did not, since the loop was terminated or reset. */
  running?: number | null;
  /** Where people open the board; absent if nobody said, and in older histories. */
  board?: string | undefined;
}

/** The loop's next action; `end` and `wait` do nothing. */
export type Deed =
  | { kind: 'read' }
  | { kind: 'count' }
  | { kind: 'run'; iteration: number; from: Step | null; settings: Record<string, unknown> | null }
  | { kind: 'wait' }
  | { kind: 'end' };

/** How an iteration ended, as its loop saw it. */
export type Ending =
  | { kind: 'finished' | 'no-images' }
  /** By a fault; or cancelled, by the loop's own stop or by somebody else. */
  | { kind: 'failed'; error: string };

/** A machine at its beginning, or as the previous run handed it on; that run may be of a later version. */
export function loopMachine(carried: unknown = {}): LoopMachine {
  const { pending, again, ...rest } = loopMachineSchema.parse(knownPart(loopMachineSchema, carried));
  return {
    ...rest,
    pending: pending?.settings === undefined ? pending : { ...pending, settings: knownSettings(pending.settings) },
    again: again?.settings == null ? again : { ...again, settings: knownSettings(again.settings) },
    rows: [],
    proposal: null,
  };
}

/** The input of the next run: everything that is not in the store. */
export function carried({ rows: _, proposal: __, ...machine }: LoopMachine): z.infer<typeof loopMachineSchema> {
  return machine;
}

/**
 * What to do now. After `read` comes {@link wasRead}, after `count` {@link counted}, after `run` {@link begun} and
 * {@link ended}.
 */
export function nextDeed(machine: LoopMachine): Deed {
  const { running, stale, inbox, stopping, paused, again, remaining, failure, waiting, config, next } = machine;
  if (running !== null) return { kind: 'wait' };
  if (stale || inbox.length > 0) return { kind: 'read' };
  if (stopping !== 'no') return { kind: 'end' };
  if (paused) return { kind: 'wait' };
  if (again !== null) return { kind: 'run', ...again };
  if (machine.countDue && countMatters(machine)) return { kind: 'count' };
  if (remaining > 0 && failure === null && !waiting && config !== null)
    return { kind: 'run', iteration: next, from: null, settings: null };
  return { kind: 'wait' };
}

/** Whether a number of images decides when iterations begin: else any new image does. */
export const isCounting = ({ config }: LoopMachine): boolean =>
  config !== null && (config.policy.newImages > 1 || config.policy.begin === 'by-itself');

/** Whether the number of images can make anything begin. */
const countMatters = ({ remaining, waiting, failure, config }: LoopMachine): boolean =>
  failure === null && (remaining > 0 ? waiting : config?.policy.begin === 'by-itself');

/** The pool may have more images to draw than it had. */
const mayBegin = (machine: LoopMachine): LoopMachine =>
  isCounting(machine) ? { ...machine, countDue: true } : { ...machine, waiting: false };

/** A pool has images that it had not: this loop's own, or, where nobody says which, perhaps. */
export const poolGrew = (machine: LoopMachine, pool: string | null = null): LoopMachine =>
  pool === null || pool === machine.config?.pool ? mayBegin(machine) : machine;

/** The pool's version, read while the loop waits for images: a new version may have some. */
export const looked = (machine: LoopMachine, version: number): LoopMachine =>
  version === machine.poolVersion ? machine : { ...mayBegin(machine), poolVersion: version };

/** The images to draw were counted: enough of them end the wait, or begin an iteration by themselves. */
export function counted(machine: LoopMachine, undrawn: number): LoopMachine {
  const after = { ...machine, countDue: false, undrawn };
  const { config } = machine;
  if (config === null || undrawn < config.policy.newImages || !countMatters(machine)) return after;
  return { ...after, waiting: false, remaining: Math.max(1, machine.remaining) };
}

/** An iteration reported its end; results stay in the store. */
export const told = (machine: LoopMachine, { iteration: number, status, error }: IterationFinished): LoopMachine => ({
  ...machine,
  inbox: [...machine.inbox, { iteration: number, status, error }],
});

/** An iteration reported that it holds or continues. */
export const toldHeld = (machine: LoopMachine, { iteration: number, held }: IterationHeld): LoopMachine =>
  machine.running?.iteration === number ? { ...machine, running: { ...machine.running, held } } : machine;

/** The running iteration's report of its end, if there is one. */
export const endingTold = ({ inbox, running }: LoopMachine): LoopMachine['inbox'][number] | null =>
  inbox.findLast((note) => note.iteration === running?.iteration) ?? null;

/** An iteration begins: a request to do it again is used up. */
export const begun = (machine: LoopMachine, number: number): LoopMachine => ({
  ...machine,
  again: null,
  failure: null,
  waiting: false,
  running: { iteration: number, held: false, cancelled: false },
});

/** The resolved configuration of the loop's newest iteration becomes that of the loop. */
export const prepared = (machine: LoopMachine, number: number, config: LoopConfig): LoopMachine =>
  number >= machine.next ? { ...machine, config: whole(config) } : machine;

/** A configuration that an activity answered, perhaps one of an earlier build, whose answers stand in histories. */
const whole = (config: LoopConfig): LoopConfig => loopConfigSchema.parse(knownPart(loopConfigSchema, config));

/** The running iteration ended. The store is read before anything else begins. */
export function ended(machine: LoopMachine, ending: Ending): LoopMachine {
  const { running } = machine;
  if (running === null) return machine;
  const inbox = machine.inbox.filter((note) => note.iteration !== running.iteration);
  const over = { ...machine, running: null, orphan: null, inbox, stale: true };
  if (ending.kind !== 'failed') {
    // A person waits for what was asked for beside this request.
    const counts = ending.kind === 'finished' && isCounting(over) && over.pending === null;
    return { ...over, waiting: counts || ending.kind === 'no-images', countDue: counts };
  }
  // A cancellation that the loop asked for is no failure, also where a start took the stop back meanwhile.
  if (running.cancelled) return over;
  return { ...over, failure: { iteration: running.iteration, error: ending.error } };
}

/**
 * The store was read. `remaining` falls by as much as the store advanced, so that an end reported twice, or by a reset
 * run, counts once. `countsOrphans` is false in histories of earlier builds: there an iteration that already ran came
 * on top of the requested ones.
 */
export function wasRead(
  machine: LoopMachine,
  { next, rows, proposal, config, running = null }: LoopRecord,
  countsOrphans = true,
): LoopMachine {
  const ahead = machine.next === 0 ? 0 : Math.max(0, next - machine.next);
  const remaining = Math.max(0, machine.remaining - ahead);
  const read = {
    ...machine,
    stale: false,
    inbox: [],
    next,
    rows,
    proposal,
    remaining,
    config: machine.config ?? (config === null ? null : whole(config)),
  };
  // Only a loop that just began does not know the running iteration; a new request for it joins it.
  const orphan = machine.next === 0 && running !== null ? { iteration: running, from: null, settings: null } : null;
  const isAskedFor = remaining > 0 || running === null || running < next;
  const unasked = countsOrphans && !isAskedFor ? running : null;
  const failure = machine.inbox.reduce((known, note) => failureAfter(known, note, read), machine.failure);
  return begunPending({
    ...read,
    failure,
    orphan: machine.next === 0 ? unasked : machine.orphan,
    again: machine.again ?? orphan,
  });
}

function failureAfter(
  known: LoopMachine['failure'],
  { iteration: number, status, error }: LoopMachine['inbox'][number],
  { next, waiting, stopping }: LoopMachine,
): LoopMachine['failure'] {
  if (status === 'finished') return known?.iteration === number ? null : known;
  // An older iteration that was reset and failed again does not change the results that later ones build on.
  if (status === 'no-images' || waiting || stopping !== 'no' || number < next) return known;
  return known ?? { iteration: number, error: `iteration ${number}: ${error ?? 'failed'}` };
}

/** The pending request begins when nothing remains. */
function begunPending(machine: LoopMachine): LoopMachine {
  const { pending, remaining, running } = machine;
  if (pending === null || remaining > 0 || running !== null) return machine;
  const { iterations, config, settings: given } = pending;
  const kept = machine.config === null ? null : configWith(machine.config, given ?? {});
  return { ...machine, pending: null, waiting: false, remaining: iterations, config: config ?? kept };
}

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
  /** The step to do again with all after it; null goes on from the step that failed. */
  from: stepSchema.nullable(),
  /** Settings for this attempt, on top of those it had. */
  settings: layerRecordSchema.nullable(),
});

/**
 * What a loop is about to do. What it has done stands in the store; `next` and `rows` are what was last read there. All
 * of it is carried through continue-as-new, so that nothing asked for, failed or just received is dropped.
 */
export const loopMachineSchema = z.strictObject({
  /** The loop's settings, from its first request on. */
  config: loopConfigSchema.nullable().default(null),
  /** Iterations still to finish, with the one that runs. */
  remaining: z.number().int().min(0).default(0),
  /** The request that begins when nothing remains. */
  pending: z
    .strictObject({
      iterations: iterationsSchema,
      /** The whole configuration: how requests were kept before they had `settings`. */
      config: loopConfigSchema.optional(),
      settings: layerRecordSchema.optional(),
    })
    .nullable()
    .default(null),
  paused: z.boolean().default(false),
  stopping: z.enum(['no', 'after', 'now']).default('no'),
  failure: z.strictObject({ iteration, error: z.string() }).nullable().default(null),
  again: againSchema.nullable().default(null),
  /** The pool had no new images; nothing begins until it grew, or somebody asks. */
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
   * An iteration that ran already when the loop began and that nobody has asked this loop for: the first of those that
   * the next start asks for.
   */
  orphan: iteration.nullable().default(null),
  /** What iterations said at their end and nobody has taken yet. */
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

/** What the store knows of a loop. */
export interface LoopRecord {
  next: number;
  rows: readonly IterationRow[];
  proposal: Proposal | null;
  /** The loop's settings as they were last in force; null for one that has done nothing. */
  config: LoopConfig | null;
  /** An iteration of this loop that runs although the loop did not: it was terminated or reset meanwhile. */
  running?: number | null;
}

/** What the loop does next; `end` and `wait` do nothing. */
export type Deed =
  | { kind: 'read' }
  | { kind: 'count' }
  | { kind: 'run'; iteration: number; from: Step | null; settings: Record<string, unknown> | null }
  | { kind: 'wait' }
  | { kind: 'end' };

/** How an iteration ended, as its loop saw it. */
export type Ending =
  | { kind: 'finished' | 'no-images' }
  /** By a fault, or cancelled by the loop's own stop or by somebody else. */
  | { kind: 'failed'; error: string };

/** A machine as it begins, or as the run before handed it on, perhaps of a later version. */
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

/** What the next run needs: everything but what stands in the store. */
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

/** The pool's version, looked at while the loop waits for images: another one may have some. */
export const looked = (machine: LoopMachine, version: number): LoopMachine =>
  version === machine.poolVersion ? machine : { ...mayBegin(machine), poolVersion: version };

/** The images to draw were counted: enough of them end the wait, or begin an iteration by themselves. */
export function counted(machine: LoopMachine, undrawn: number): LoopMachine {
  const after = { ...machine, countDue: false, undrawn };
  const { config } = machine;
  if (config === null || undrawn < config.policy.newImages || !countMatters(machine)) return after;
  return { ...after, waiting: false, remaining: Math.max(1, machine.remaining) };
}

/** An iteration said how it ended; results stay in the store. */
export const told = (machine: LoopMachine, { iteration: number, status, error }: IterationFinished): LoopMachine => ({
  ...machine,
  inbox: [...machine.inbox, { iteration: number, status, error }],
});

/** An iteration said that it holds, or goes on. */
export const toldHeld = (machine: LoopMachine, { iteration: number, held }: IterationHeld): LoopMachine =>
  machine.running?.iteration === number ? { ...machine, running: { ...machine.running, held } } : machine;

/** What the running iteration said at its end, if it did. */
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

/** The configuration that an iteration resolved to is that of the loop, where it is the loop's newest. */
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
    const counts = ending.kind === 'finished' && isCounting(over);
    return { ...over, waiting: counts || ending.kind === 'no-images', countDue: counts };
  }
  // A cancellation that the loop asked for is no failure, also where a start took the stop back meanwhile.
  if (running.cancelled) return over;
  return { ...over, failure: { iteration: running.iteration, error: ending.error } };
}

/**
 * The store was read. What remains falls by as much as the store got ahead, so that an end that is told twice, or by a
 * run that was reset, counts once. `countsOrphans` is false in histories of earlier builds, where an iteration that ran
 * already came on top of those asked for.
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
  // Only a loop that just began has not seen what runs; asking for it again joins it.
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
  // An older iteration that somebody reset and that failed again changes nothing of what later ones build on.
  if (status === 'no-images' || waiting || stopping !== 'no' || number < next) return known;
  return known ?? { iteration: number, error: `iteration ${number}: ${error ?? 'failed'}` };
}

/** The pending request takes its turn once nothing remains. */
function begunPending(machine: LoopMachine): LoopMachine {
  const { pending, remaining, running } = machine;
  if (pending === null || remaining > 0 || running !== null) return machine;
  const { iterations, config, settings: given } = pending;
  const kept = machine.config === null ? null : configWith(machine.config, given ?? {});
  return { ...machine, pending: null, waiting: false, remaining: iterations, config: config ?? kept };
}

import {
  type Client,
  type ScheduleDescription,
  ScheduleNotFoundError,
  type ScheduleOptions,
  ScheduleOverlapPolicy,
  type ScheduleSpec,
  type ScheduleUpdateOptions,
} from '@temporalio/client';
import { z } from 'zod';
import { PartloopError } from '../../domain/base/errors.js';
import { nameSchema } from '../../domain/base/ids.js';
import { LIGHT_QUEUE } from '../../domain/base/queues.js';
import { WORKFLOWS } from '../../domain/workflowNames.js';

/** What a Schedule of ours starts. */
export interface ScheduleKind {
  /** Of its id in Temporal. */
  prefix: string;
  workflowType: string;
  /** Of the ids of the workflows that it starts. */
  workflowPrefix: string;
  note: string;
}

export const LOOP_SCHEDULES: ScheduleKind = {
  ...{ prefix: 'start-loop:', workflowType: WORKFLOWS.startLoop, workflowPrefix: 'start:' },
  ...{ note: 'starts a loop' },
};
export const INGEST_SCHEDULES: ScheduleKind = {
  ...{ prefix: 'start-ingest:', workflowType: WORKFLOWS.startIngest, workflowPrefix: 'look:' },
  ...{ note: 'looks into inboxes' },
};
/** It has one Schedule alone. */
export const GC_SCHEDULES: ScheduleKind = {
  ...{ prefix: 'clean-up:', workflowType: WORKFLOWS.cleanUp, workflowPrefix: 'clean-up:' },
  ...{ note: 'deletes what nothing reads any more' },
};

export const scheduleId = (name: string, { prefix } = LOOP_SCHEDULES): string => `${prefix}${name}`;

/** A Schedule of ours, as people see it. */
export interface LoopSchedule {
  name: string;
  /** `every 12h`, or a cron expression. */
  when: string;
  timeZone: string;
  /** What it gives to the workflow that it starts. */
  request: Record<string, unknown>;
  paused: boolean;
  next: string | null;
  last: string | null;
}

const requestSchema = z.record(z.string(), z.unknown()).catch({});

/** A schedule's handle's description in our words. */
export function loopSchedule(found: ScheduleDescription, { prefix } = LOOP_SCHEDULES): LoopSchedule {
  const { spec, action, state, info } = found;
  const [calendar] = spec.calendars ?? [];
  const [interval] = spec.intervals ?? [];
  const often = interval === undefined ? 'never' : `every ${duration(Number(interval.every))}`;
  const when = calendar === undefined ? often : calendar.comment || 'by a calendar';
  return {
    name: found.scheduleId.slice(prefix.length),
    when,
    timeZone: spec.timezone || 'UTC',
    request: requestSchema.parse(action.type === 'startWorkflow' ? action.args?.[0] : {}),
    paused: state.paused,
    next: info.nextActionTimes[0]?.toISOString() ?? null,
    last: info.recentActions.at(-1)?.takenAt.toISOString() ?? null,
  };
}

const MINUTE = 60_000;
const UNITS = [
  ['d', 24 * 60 * MINUTE],
  ['h', 60 * MINUTE],
  ['m', MINUTE],
] as const;

function duration(milliseconds: number): string {
  const [unit, length] = UNITS.find(([, each]) => milliseconds % each === 0) ?? ['s', 1_000];
  return `${milliseconds / length}${unit}`;
}

const INTERVAL = /^(\d{1,5})([mhd])$/;

/**
 * The start times of a schedule: an interval such as `90m`, or a cron expression in a time zone.
 *
 * @throws PartloopError `input-invalid`
 */
export function scheduleSpec(asked: { every?: string; cron?: string; timeZone?: string }): ScheduleSpec {
  const { every, cron, timeZone } = asked;
  if (every !== undefined && cron !== undefined) {
    throw new PartloopError('input-invalid', '--every and --cron exclude each other', { hint: 'Give one of them.' });
  }
  if (timeZone !== undefined && cron === undefined) {
    throw new PartloopError('input-invalid', '--time-zone needs --cron: an interval is the same in every time zone', {
      hint: 'E.g. `--cron "0 3 * * *" --time-zone Europe/Berlin`.',
    });
  }
  if (cron !== undefined) {
    // The server keeps the words only in the comment; it turns the rest into numbers.
    const cronExpressions = [cron.includes('#') || cron.startsWith('@every') ? cron : `${cron} # ${cron}`];
    return { cronExpressions, ...(timeZone === undefined ? {} : { timezone: knownTimeZone(timeZone) }) };
  }
  const match = INTERVAL.exec(every ?? '1d');
  const each = UNITS.find(([unit]) => unit === match?.[2])?.[1];
  const amount = Number(match?.[1]);
  if (each === undefined || amount < 1) {
    throw new PartloopError('input-invalid', `--every ${every}: expected minutes, hours or days, e.g. 90m, 12h or 1d`);
  }
  return { intervals: [{ every: amount * each }] };
}

function knownTimeZone(name: string): string {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name }).format(0);
    return name;
  } catch (cause) {
    throw new PartloopError('input-invalid', `--time-zone ${name}: there is no such time zone`, {
      hint: 'Give a name of the IANA time zone database, e.g. Europe/Berlin.',
      cause,
    });
  }
}

/** A schedule by its name, or null where there is none. */
export async function findSchedule(client: Client, name: string, kind = LOOP_SCHEDULES): Promise<LoopSchedule | null> {
  try {
    return loopSchedule(await client.schedule.getHandle(scheduleId(name, kind)).describe(), kind);
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return null;
    throw error;
  }
}

/** Every schedule of a kind, by name. */
export async function listSchedules(client: Client, kind = LOOP_SCHEDULES): Promise<LoopSchedule[]> {
  const found: LoopSchedule[] = [];
  for await (const { scheduleId: id } of client.schedule.list()) {
    const schedule = id.startsWith(kind.prefix) ? await findSchedule(client, id.slice(kind.prefix.length), kind) : null;
    if (schedule !== null) found.push(schedule);
  }
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** @throws PartloopError `not-found` listing the existing schedules */
export async function existingSchedule(client: Client, name: string): Promise<LoopSchedule> {
  const found = nameSchema.safeParse(name).success ? await findSchedule(client, name) : null;
  if (found !== null) return found;
  const names = (await listSchedules(client)).map((schedule) => schedule.name);
  const there = names.length === 0 ? 'there is none yet' : `schedules: ${names.join(', ')}`;
  throw new PartloopError('not-found', `there is no schedule \`${name}\`; ${there}`, {
    hint: '`partloop schedule create NAME` makes one.',
  });
}

export interface WrittenSchedule {
  name: string;
  /** What it gives to the workflow that it starts. */
  request: Record<string, unknown>;
  paused: boolean;
  /** Start times; null keeps those of the existing schedule. */
  spec: ScheduleSpec | null;
  /** The words of `spec`, if they are a cron expression. */
  cron: string | null;
}

/**
 * Create a schedule, or change the existing one of its name; returns the result.
 *
 * @throws PartloopError `input-invalid` for a cron expression that the service refuses or that never matches; then the
 * earlier state is restored
 */
export async function writeSchedule(
  client: Client,
  wanted: WrittenSchedule,
  kind = LOOP_SCHEDULES,
): Promise<LoopSchedule> {
  const handle = client.schedule.getHandle(scheduleId(wanted.name, kind));
  const previous = await handle.describe().catch((error: unknown) => {
    if (error instanceof ScheduleNotFoundError) return null;
    throw error;
  });
  try {
    if (previous === null) await client.schedule.create(scheduleOptions(wanted, kind));
    else await handle.update((found) => changed(found, wanted, kind));
  } catch (cause) {
    // The service checks expressions itself, before it changes anything.
    if (!(cause instanceof TypeError) || wanted.cron === null) throw cause;
    throw badCron(wanted.cron, cause.message, cause);
  }
  const after = await findSchedule(client, wanted.name, kind);
  if (after === null) throw new PartloopError('store-conflict', `schedule ${wanted.name} was deleted just now`);
  if (after.next !== null) return after;
  if (previous === null) await handle.delete();
  else await handle.update(() => previous);
  throw badCron(wanted.cron ?? after.when, 'this time never comes');
}

function badCron(cron: string, trouble: string, cause?: unknown): PartloopError {
  return new PartloopError('input-invalid', `--cron "${cron}": ${trouble}`, {
    hint: 'Five fields: minute, hour, day of the month, month, day of the week; e.g. "30 3 * * MON" for Mondays at 3:30.',
    cause,
  });
}

const action = ({ name, request }: WrittenSchedule, { workflowType, workflowPrefix, note }: ScheduleKind) => ({
  type: 'startWorkflow' as const,
  workflowType,
  workflowId: `${workflowPrefix}${name}`,
  staticSummary: `schedule ${name} ${note}`,
  taskQueue: LIGHT_QUEUE,
  args: [request],
});

const scheduleOptions = (wanted: WrittenSchedule, kind: ScheduleKind): ScheduleOptions => ({
  scheduleId: scheduleId(wanted.name, kind),
  spec: wanted.spec ?? {},
  action: action(wanted, kind),
  policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 day', pauseOnFailure: false },
  state: { paused: wanted.paused, note: kind.note },
});

const changed = (found: ScheduleDescription, wanted: WrittenSchedule, kind: ScheduleKind): ScheduleUpdateOptions => ({
  ...found,
  action: action(wanted, kind),
  ...(wanted.spec === null ? {} : { spec: wanted.spec }),
  state: { ...found.state, paused: wanted.paused },
});

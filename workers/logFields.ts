import { AsyncLocalStorage } from 'node:async_hooks';
import { Context } from '@temporalio/activity';
import { z } from 'zod';
import { parseIterationWorkflowId } from '../domain/base/ids.js';
import { LIGHT_QUEUE, SCAN_QUEUE, TRAIN_QUEUE } from '../domain/base/queues.js';

/** The source of a log line, as far as it is known. */
export interface LogFields {
  role?: string;
  workflow?: string;
  run?: string;
  loop?: string;
  iteration?: number;
  step?: string;
  shard?: number;
  fold?: number;
  attempt?: number;
  /** Of the iteration, where spans are sent. */
  trace?: string;
}

/** The part of an activity's input that identifies its work; inputs have more, and not all have this. */
const inputSchema = z.looseObject({
  context: z.looseObject({ loop: z.string(), iteration: z.number() }).optional().catch(undefined),
  loop: z.string().optional().catch(undefined),
  shard: z.number().optional().catch(undefined),
  fold: z.number().optional().catch(undefined),
});
/** `loop:cars`, `loop:cars:iteration:0001` and its children, `scan:night`. */
const OWN_ID = /^(?:loop:(?<loop>[^:]+)|scan:(?<scan>[^:]+))/;
const ITERATION_PART = /^loop:[^:]+:iteration:\d+/;

const ROLE_OF: Readonly<Record<string, string>> = {
  [LIGHT_QUEUE]: 'light',
  [SCAN_QUEUE]: 'scan',
  [TRAIN_QUEUE]: 'train',
};

const asked = new AsyncLocalStorage<LogFields>();

/** What the input of an activity says of what it is about. */
export function inputFields(args: readonly unknown[]): LogFields {
  const { context, loop, shard, fold } = inputSchema.safeParse(args[0]).data ?? {};
  return defined({ loop: context?.loop ?? loop, iteration: context?.iteration, shard, fold });
}

/** Lines that `work` writes, and whatever it starts, have these fields besides those around it. */
export const withFields = <T>(fields: LogFields, work: () => Promise<T>): Promise<T> =>
  asked.run({ ...asked.getStore(), ...fields }, work);

/** Lines that `work` writes, and whatever it starts, say what the activity was asked for. */
export const withInput = <T>(args: readonly unknown[], work: () => Promise<T>): Promise<T> =>
  withFields(inputFields(args), work);

/** The loop of an activity: from its input, else from the id of its workflow; a scan by itself belongs to none. */
export function loopOf(workflowId: string, args: readonly unknown[]): string | undefined {
  const own = OWN_ID.exec(workflowId)?.groups;
  if (own?.scan !== undefined) return undefined;
  return own?.loop ?? inputFields(args).loop;
}

/** The fields of the current activity; none outside one. */
export function activityFields(): LogFields {
  const info = currentInfo();
  if (info === null) return {};
  const { workflowExecution, activityType, attempt, taskQueue } = info;
  return {
    ...defined({
      role: ROLE_OF[taskQueue],
      workflow: workflowExecution?.workflowId,
      run: workflowExecution?.runId,
    }),
    ...(workflowExecution === undefined ? {} : workflowFields(workflowExecution.workflowId)),
    ...{ step: activityType, attempt },
    ...asked.getStore(),
  };
}

/** Loop and iteration from the id of a workflow. */
export function workflowFields(workflowId: string): LogFields {
  const { loop, scan } = OWN_ID.exec(workflowId)?.groups ?? {};
  const iteration = parseIterationWorkflowId(ITERATION_PART.exec(workflowId)?.[0] ?? '')?.iteration;
  return defined({ loop: loop ?? scan, iteration });
}

function currentInfo(): Context['info'] | null {
  try {
    return Context.current().info;
  } catch {
    return null;
  }
}

function defined(fields: { [Name in keyof LogFields]: LogFields[Name] | undefined }): LogFields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

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

/** Lines written by `work`, and by everything that it starts, have the fields of the activity's input. */
export const withInput = <T>(args: readonly unknown[], work: () => Promise<T>): Promise<T> => {
  const { context, loop, shard, fold } = inputSchema.safeParse(args[0]).data ?? {};
  const fields = { loop: context?.loop ?? loop, iteration: context?.iteration, shard, fold };
  return asked.run(defined(fields), work);
};

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

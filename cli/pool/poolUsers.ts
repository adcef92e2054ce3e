import type { Client } from '@temporalio/client';
import { z } from 'zod';
import { nameSchema } from '../../domain/base/ids.js';
import { WORKFLOWS } from '../../domain/workflowNames.js';
import { workflowInput } from '../workflowInput.js';

/** A pool's users as Temporal knows them. */
export interface RunningUsers {
  /** Workflow ids of loops, iterations and scans that have not ended and are, or may be, of the pool. */
  running: string[];
  /** Schedules that start loops over it. */
  schedules: string[];
}

const RUNNING = `ExecutionStatus = 'Running' AND WorkflowType IN ('${WORKFLOWS.trainingLoop}', '${WORKFLOWS.loopIteration}', '${WORKFLOWS.mislabelScan}', '${WORKFLOWS.startLoop}')`;
const requestSchema = z.looseObject({ pool: nameSchema.optional(), loop: nameSchema.optional() });
const scanInputSchema = z.looseObject({
  pool: nameSchema.optional(),
  context: z.looseObject({ config: z.looseObject({ pool: nameSchema }) }).optional(),
});

/**
 * Running workflows and schedules of a pool. `loopsOf` knows loops by their records; for others the input names the
 * pool. One without a pool may mean this pool, and counts.
 */
export async function runningUsers(
  client: Client,
  pool: string,
  poolOfLoop: ReadonlyMap<string, string>,
): Promise<RunningUsers> {
  const poolOf = new Map(poolOfLoop);
  const found: { workflowId: string; loop: string | undefined; pool: string | null }[] = [];
  for await (const { workflowId, runId } of client.workflow.list({ query: RUNNING })) {
    const loop = /^(?:loop|scan):([a-z0-9-]+)/.exec(workflowId)?.[1];
    const named = await inputPool(client, workflowId, runId);
    if (loop !== undefined && named !== null) poolOf.set(loop, named);
    found.push({ workflowId, loop, pool: named });
  }
  const running = found.flatMap(({ workflowId, loop, pool: named }) => {
    const own = named ?? poolOf.get(loop ?? '') ?? null;
    return own === pool || own === null ? [workflowId] : [];
  });
  const schedules: string[] = [];
  for await (const { scheduleId } of client.schedule.list()) {
    const { action } = await client.schedule.getHandle(scheduleId).describe();
    const parsed = requestSchema.safeParse(action.type === 'startWorkflow' ? action.args?.[0] : undefined);
    const { pool: own, loop } = parsed.data ?? {};
    if (own === pool || (own === undefined && loop !== undefined && poolOfLoop.get(loop) === pool))
      schedules.push(scheduleId.replace(/^start-loop:/, ''));
  }
  return { running: running.toSorted(), schedules: schedules.toSorted() };
}

/** The pool that a workflow's own input names; null if it names none. */
async function inputPool(client: Client, workflowId: string, runId: string): Promise<string | null> {
  return poolOfInput(await workflowInput(client, { workflowId, runId }));
}

/** The pool that the input of a loop or a scan names; null if it names none. */
export function poolOfInput(input: unknown): string | null {
  const parsed = scanInputSchema.safeParse(input);
  return parsed.data?.pool ?? parsed.data?.context?.config.pool ?? null;
}

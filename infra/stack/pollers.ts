import { Client, Connection } from '@temporalio/client';
import { LIGHT_QUEUE } from '../../domain/base/queues.js';
import { parseWorkerIdentity } from '../../domain/base/workerIdentity.js';
import { WORKFLOW_TYPES } from '../../domain/workflowNames.js';
import { type PausedWork, pausedIn } from '../../steering/pausedWork.js';
import { type QueueStatus, queueStatuses } from '../../steering/queues.js';
import { type Retrying, retryingOf } from '../../steering/retrying.js';
import { temporalConnectionOptions } from '../services/temporalConnection.js';

/** Largest number of running workflows searched for a process's work. */
const WORKFLOWS_LOOKED_AT = 200;
/** The number of a state in Temporal's API. */
const STARTED = 2;

/** An activity that a worker has taken. */
export interface TakenActivity {
  identity: string;
  activity: string;
  workflowId: string;
}

export interface PollerStatus {
  queues: QueueStatus[];
  taken: TakenActivity[];
  /** Work at its third attempt or later. */
  retrying: Retrying[];
  /** Work that somebody paused in Temporal itself. */
  paused: PausedWork[];
  /** Our workflows that somebody started on a queue that none of our workers polls. */
  strayed: StrayedWorkflow[];
}

/** A workflow that waits forever: no worker of ours asks its queue for work. */
export interface StrayedWorkflow {
  workflowId: string;
  type: string;
  queue: string;
}

/**
 * The state of a worker process: `polls` asks for work, `works` has as much as it takes, `silent` runs but does
 * neither, for example because a thread hangs.
 */
export type WorkerActivity = { does: 'polls' } | { does: 'works'; on: string[] } | { does: 'silent' };

/** Task queues and their pollers; null if no service answers. */
export async function pollerStatus(address: string, namespace: string): Promise<PollerStatus | null> {
  let connection: Connection;
  try {
    connection = await Connection.connect(temporalConnectionOptions(address));
  } catch {
    return null;
  }
  try {
    const queues = await queueStatuses(connection, namespace);
    return { queues, ...(await underWay(connection, namespace)) };
  } catch {
    return null;
  } finally {
    await connection.close();
  }
}

/** The state of the process `pid` of a role, as the service sees it. */
export function workerActivity(
  { queues, taken }: Pick<PollerStatus, 'queues' | 'taken'>,
  role: string,
  pid: number,
): WorkerActivity {
  const isIts = (identity: string): boolean => {
    const worker = parseWorkerIdentity(identity);
    return worker !== null && worker.role === role && worker.pid === pid;
  };
  if (queues.some(({ pollers }) => pollers.some(isIts))) return { does: 'polls' };
  const on = taken
    .filter(({ identity }) => isIts(identity))
    .map(({ activity, workflowId }) => `${activity} of ${workflowId}`);
  return on.length === 0 ? { does: 'silent' } : { does: 'works', on };
}

async function underWay(
  connection: Connection,
  namespace: string,
): Promise<Pick<PollerStatus, 'taken' | 'retrying' | 'paused' | 'strayed'>> {
  const { workflow } = new Client({ connection, namespace });
  const taken: TakenActivity[] = [];
  const retrying: Retrying[] = [];
  const paused: PausedWork[] = [];
  const strayed: StrayedWorkflow[] = [];
  let looked = 0;
  for await (const { workflowId, runId, type, taskQueue: queue } of workflow.list({
    query: 'ExecutionStatus = "Running"',
  })) {
    if (++looked > WORKFLOWS_LOOKED_AT) break;
    if (WORKFLOW_TYPES.includes(type) && queue !== LIGHT_QUEUE) strayed.push({ workflowId, type, queue });
    const { raw } = await workflow.getHandle(workflowId, runId).describe();
    retrying.push(...retryingOf(workflowId, raw));
    paused.push(...pausedIn(workflowId, raw));
    for (const { state, lastWorkerIdentity, activityType } of raw.pendingActivities ?? []) {
      if (state !== STARTED) continue;
      taken.push({ identity: lastWorkerIdentity ?? '', activity: activityType?.name ?? '', workflowId });
    }
  }
  return { taken, retrying, paused, strayed };
}

export const strayedText = ({ workflowId, type, queue }: StrayedWorkflow): string =>
  `workflow ${workflowId} (${type}) waits on queue ${queue}, which none of partloop's workers polls.`;

export const STRAYED_MEND = `Terminate it in the Web UI and start it again on the task queue \`${LIGHT_QUEUE}\`.`;

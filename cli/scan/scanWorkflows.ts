import {
  type Client,
  type WorkflowExecutionInfo,
  WorkflowFailedError,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { type RootFailure, rootFailure } from '../../domain/base/failures/rootFailure.js';
import { standaloneScanId, standaloneScanWorkflowId } from '../../domain/base/ids.js';
import { type ScanProgress, scanProgressSchema, scanProgressText } from '../../domain/scan/progress.js';
import { SEARCH_ATTRIBUTES } from '../../domain/searchAttributes.js';
import { QUERIES, WORKFLOWS } from '../../domain/workflowNames.js';
import { activityProgress } from '../../steering/activityProgress.js';
import { poolOfInput } from '../pool/poolUsers.js';
import { printTable } from '../terminal/output.js';
import { workflowInput } from '../workflowInput.js';

/** A worker that does not answer within this counts as missing. */
const QUERY_MS = 3_000;
const OF_SCANS = `WorkflowType = '${WORKFLOWS.mislabelScan}'`;
const RUNNING = `${OF_SCANS} AND ExecutionStatus = 'Running'`;
const ENDED_EARLY = `${OF_SCANS} AND ExecutionStatus IN ('Canceled', 'Terminated', 'Failed', 'TimedOut')`;

/** The workflow of a scan that belongs to no loop, its newest run. */
export interface ScanWorkflow {
  scan: string;
  workflowId: string;
  runId: string;
  /** Status in Temporal: `RUNNING`, `COMPLETED`, `CANCELLED`, … */
  status: WorkflowExecutionInfo['status']['name'];
  startedAt: string;
  /** The pool that it was asked to scan; null if there was only one. */
  pool: string | null;
  /** Its input. */
  input: unknown;
}

/** Running scans outside loops, the oldest first. */
export const runningScans = (client: Client): Promise<ScanWorkflow[]> => scansBy(client, RUNNING);

/**
 * The workflow of a scan by the scan's name, whether it runs or has ended; null if Temporal knows none or has forgotten
 * it. A person may have started it in the UI under another id.
 */
export async function findScanWorkflow(client: Client, scan: string): Promise<ScanWorkflow | null> {
  try {
    return await scanWorkflow(client, await client.workflow.getHandle(standaloneScanWorkflowId(scan)).describe());
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    const named = await scansBy(client, `${OF_SCANS} AND ${SEARCH_ATTRIBUTES.loop.name} = '${scan}'`);
    return named.at(-1) ?? (await runningScans(client)).find((one) => one.scan === scan) ?? null;
  }
}

async function scansBy(client: Client, query: string): Promise<ScanWorkflow[]> {
  const found: ScanWorkflow[] = [];
  for await (const info of client.workflow.list({ query }))
    if (info.parentExecution === undefined) found.push(await scanWorkflow(client, info));
  return found.sort((a, b) => (a.startedAt < b.startedAt ? -1 : 1));
}

async function scanWorkflow(
  client: Client,
  info: Omit<WorkflowExecutionInfo, 'raw'> & { raw: object },
): Promise<ScanWorkflow> {
  const { workflowId, runId, status, startTime } = info;
  const input = await workflowInput(client, { workflowId, runId });
  const scan = info.typedSearchAttributes.get(SEARCH_ATTRIBUTES.loop) ?? standaloneScanId(workflowId, runId);
  return {
    ...{ scan, workflowId, runId, status: status.name, input },
    startedAt: startTime.toISOString(),
    pool: poolOfInput(input),
  };
}

/** The progress of a scan from its workflow, for which a worker must answer; null if none does. */
export async function scanProgress(client: Client, workflowId: string): Promise<ScanProgress | null> {
  try {
    const answer = await client.withDeadline(Date.now() + QUERY_MS, () =>
      client.workflow.getHandle(workflowId).query<unknown>(QUERIES.progress),
    );
    return scanProgressSchema.safeParse(answer).data ?? null;
  } catch {
    return null;
  }
}

/**
 * The same in words, with the progress of the current activity: `training folds, 0 of 2 folds trained; now training,
 * 120 of 300 iterations`.
 */
export async function scanProgressLine(client: Client, workflowId: string): Promise<string> {
  const [progress, now] = await Promise.all([scanProgress(client, workflowId), activityProgress(client, [workflowId])]);
  const far = progress === null ? 'waits for a worker' : scanProgressText(progress);
  return now === '' ? far : `${progress === null ? '' : `${far}; `}now ${now}`;
}

/** A scan that runs, as commands show it. */
export interface RunningScan {
  scan: string;
  pool: string | null;
  startedAt: string;
  progress: string;
}

/** Running scans outside loops, with their progress. */
export async function describeRunningScans(client: Client): Promise<RunningScan[]> {
  const running = await runningScans(client);
  return Promise.all(
    running.map(async ({ scan, pool, startedAt, workflowId }) => ({
      ...{ scan, pool, startedAt },
      progress: await scanProgressLine(client, workflowId),
    })),
  );
}

/** A scan that ended before it had a result. */
export interface UnfinishedScan {
  scan: string;
  pool: string | null;
  startedAt: string;
  state: 'stopped' | 'failed';
  /** Its error; null if somebody stopped it. */
  error: string | null;
}

/** Whether a scan that ended without a result was stopped by somebody, or failed. */
export const endOf = ({ status }: ScanWorkflow): UnfinishedScan['state'] =>
  status === 'CANCELLED' || status === 'TERMINATED' ? 'stopped' : 'failed';

/** The error of a failed scan; null if it did not fail or Temporal has forgotten it. */
export async function failureOfScan(client: Client, found: ScanWorkflow): Promise<RootFailure | null> {
  if (endOf(found) !== 'failed') return null;
  try {
    await client.workflow.getHandle(found.workflowId, found.runId, { followRuns: false }).result();
    return null;
  } catch (error) {
    return error instanceof WorkflowFailedError ? rootFailure(error) : null;
  }
}

/** Scans that ended early and neither run nor are `done` now, the newest run of each. */
export async function unfinishedScans(
  client: Client,
  { running, done }: { running: readonly RunningScan[]; done: readonly string[] },
): Promise<UnfinishedScan[]> {
  const later = new Set([...done, ...running.map(({ scan }) => scan)]);
  const newest = new Map((await scansBy(client, ENDED_EARLY)).map((workflow) => [workflow.scan, workflow]));
  const unfinished = [...newest.values()].filter(({ scan }) => !later.has(scan));
  return Promise.all(
    unfinished.map(async (workflow) => {
      const { scan, pool, startedAt } = workflow;
      const error = (await failureOfScan(client, workflow))?.message ?? null;
      return { scan, pool, startedAt, state: endOf(workflow), error };
    }),
  );
}

export function printRunningScans(running: readonly RunningScan[]): void {
  printTable(
    running.map(({ scan, pool, startedAt, progress }) => ({
      'running scan': scan,
      pool,
      started: startedAt.slice(0, 19),
      progress,
    })),
  );
}

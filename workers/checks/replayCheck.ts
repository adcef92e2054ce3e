import type { Client } from '@temporalio/client';
import { DefaultLogger, Runtime, Worker, type WorkflowBundleOption } from '@temporalio/worker';
import type { ReplayReport, WouldBreak } from '../../domain/replayReport.js';
import { WORKFLOW_TYPES } from '../../domain/workflowNames.js';

const OPEN = `ExecutionStatus = 'Running' AND WorkflowType IN (${WORKFLOW_TYPES.map((type) => `'${type}'`).join(', ')})`;

type History = Awaited<ReturnType<ReturnType<Client['workflow']['getHandle']>['fetchHistory']>>;

/** A run of a workflow that has not ended. */
export interface OpenWorkflow {
  workflowId: string;
  runId: string;
  type: string;
}

type HistoryEvent = NonNullable<History['events']>[number];

/** Every open workflow of partloop. */
export async function openWorkflows(client: Client): Promise<OpenWorkflow[]> {
  const open: OpenWorkflow[] = [];
  for await (const { workflowId, runId, type } of client.workflow.list({ query: OPEN }))
    open.push({ workflowId, runId, type });
  return open;
}

/**
 * Replay the histories of open workflows on a build; this changes nothing. Workflows whose last worker was of the build
 * named by `build` are skipped; at `until` (ms of the epoch) the rest is not checked.
 */
export async function replayCheck(
  client: Client,
  workflowBundle: WorkflowBundleOption,
  { build = null, until = Number.POSITIVE_INFINITY }: { build?: string | null; until?: number } = {},
): Promise<ReplayReport> {
  const open = await openWorkflows(client);
  const report: ReplayReport = { build, open: open.length, replayed: 0, left: open.length, broken: [] };
  if (open.length === 0) return report;
  quiet();
  const histories = new Map<string, History>();
  async function* fetched() {
    for (const { workflowId, runId } of open) {
      if (Date.now() >= until) return;
      const history = await historyOf(client, workflowId, runId);
      if (history === null || (build !== null && buildOf(history) === build)) {
        report.left -= 1;
        continue;
      }
      histories.set(runId, history);
      yield { workflowId, history };
    }
  }
  for await (const { workflowId, runId, error } of Worker.runReplayHistories({ workflowBundle }, fetched())) {
    report.replayed += 1;
    report.left -= 1;
    const history = histories.get(runId);
    histories.delete(runId);
    const workflow = open.find((one) => one.workflowId === workflowId);
    if (error !== undefined && workflow !== undefined)
      report.broken.push({ ...workflow, build: buildOf(history), ...breakOf(error.message, history) });
  }
  return report;
}

/** The build of the worker that ran a workflow last; null if none has. Lists of workflows do not contain it. */
function buildOf(history: History | undefined): string | null {
  const last = history?.events?.findLast((event) => event.workflowTaskCompletedEventAttributes != null);
  return last?.workflowTaskCompletedEventAttributes?.workerVersion?.buildId || null;
}

/** A workflow that ended meanwhile needs no check. */
async function historyOf(client: Client, workflowId: string, runId: string): Promise<History | null> {
  const handle = client.workflow.getHandle(workflowId, runId);
  const { status } = await handle.describe();
  return status.name === 'RUNNING' ? handle.fetchHistory() : null;
}

const EVENT = /HistoryEvent\(id: (\d+), (\w+)\)/;
/** `Activity type of scheduled event 'draw' does not match …`: without the number of the event. */
const NAMED = /event '([^']+)' does not match/;
/** What follows is the core's own account of the failure. */
const INTERNALS = /", source: .*$/s;
const MAX_SAID = 400;

/** The event of the history, and the command of the workflow, at which a replay deviates. */
function breakOf(message: string, history: History | undefined): Pick<WouldBreak, 'event' | 'problem'> {
  const problem = message
    .replace(/^.*?Nondeterminism error: /s, '')
    .replace(INTERNALS, '')
    .slice(0, MAX_SAID);
  const [, id, type] = EVENT.exec(message) ?? [];
  const [, named] = NAMED.exec(message) ?? [];
  const event = history?.events?.find((one) => (id === undefined ? nameOf(one) === named : String(one.eventId) === id));
  const name = event === undefined ? named : nameOf(event);
  if (id !== undefined && type !== undefined)
    return { event: `${id} ${type}${name == null ? '' : ` (${name})`}`, problem };
  if (named === undefined) return { event: null, problem };
  return { event: event === undefined ? named : `${String(event.eventId)} (${named})`, problem };
}

/** The type of the activity or child workflow that an event is about. */
const nameOf = (event: HistoryEvent): string | null | undefined =>
  event.activityTaskScheduledEventAttributes?.activityType?.name ??
  event.startChildWorkflowExecutionInitiatedEventAttributes?.workflowType?.name;

/** Broken replays are the purpose of the check: the core's own log lines about them would hide the answer. */
function quiet(): void {
  try {
    Runtime.install({
      shutdownSignals: [],
      logger: new DefaultLogger('ERROR', () => {}),
      telemetryOptions: { logging: { filter: 'ERROR', forward: {} } },
    });
  } catch {
    // This process has a runtime already, with a log of its own.
  }
}

import type { Client } from '@temporalio/client';
import { DefaultLogger, Runtime, Worker, type WorkflowBundleOption } from '@temporalio/worker';
import type { ReplayReport, WouldBreak } from '../domain/replayReport.js';

/** Our workflow types: those of others in the namespace are none of our business. */
const TYPES = ['trainingLoop', 'loopIteration', 'mislabelScan', 'hyperparameterSearch', 'startLoop'];
const OPEN = `ExecutionStatus = 'Running' AND WorkflowType IN (${TYPES.map((type) => `'${type}'`).join(', ')})`;

type History = Awaited<ReturnType<ReturnType<Client['workflow']['getHandle']>['fetchHistory']>>;

/** An open workflow, and the build of the worker that ran it last; null where none has. */
export interface OpenWorkflow {
  workflowId: string;
  runId: string;
  type: string;
  build: string | null;
}

type HistoryEvent = NonNullable<History['events']>[number];

/** Every open workflow of partloop. */
export async function openWorkflows(client: Client): Promise<OpenWorkflow[]> {
  const open: OpenWorkflow[] = [];
  for await (const { workflowId, runId, type, raw } of client.workflow.list({ query: OPEN }))
    open.push({ workflowId, runId, type, build: raw.mostRecentWorkerVersionStamp?.buildId || null });
  return open;
}

/**
 * Replay the histories of open workflows on a build, which changes nothing of them. Those whose last worker was of this very build
 * are passed over where `build` names it; when `until` (ms of the epoch) comes, what is left is not looked at.
 */
export async function replayCheck(
  client: Client,
  workflowBundle: WorkflowBundleOption,
  { build = null, until = Number.POSITIVE_INFINITY }: { build?: string | null; until?: number } = {},
): Promise<ReplayReport> {
  const open = await openWorkflows(client);
  const asked = open.filter((workflow) => build === null || workflow.build !== build);
  const report: ReplayReport = { build, open: open.length, replayed: 0, left: asked.length, broken: [] };
  if (asked.length === 0) return report;
  quiet();
  const histories = new Map<string, History>();
  async function* fetched() {
    for (const { workflowId, runId } of asked) {
      if (Date.now() >= until) return;
      const history = await historyOf(client, workflowId, runId);
      if (history === null) {
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
    const workflow = asked.find((one) => one.workflowId === workflowId);
    if (error !== undefined && workflow !== undefined)
      report.broken.push({ ...workflow, ...breakOf(error.message, history) });
  }
  return report;
}

/** A workflow that ended meanwhile needs no look. */
async function historyOf(client: Client, workflowId: string, runId: string): Promise<History | null> {
  const handle = client.workflow.getHandle(workflowId, runId);
  const { status } = await handle.describe();
  return status.name === 'RUNNING' ? handle.fetchHistory() : null;
}

const EVENT = /HistoryEvent\(id: (\d+), (\w+)\)/;
/** `Activity type of scheduled event 'draw' does not match …`: without the number of the event. */
const NAMED = /event '([^']+)' does not match/;
const MAX_SAID = 400;

/** At which event of the history, and which command of the workflow, a replay parts from it. */
function breakOf(message: string, history: History | undefined): Pick<WouldBreak, 'event' | 'problem'> {
  const problem = message.replace(/^.*?Nondeterminism error: /, '').slice(0, MAX_SAID);
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

/** A replay that breaks is what is looked for: the core's own log lines about it would hide the answer. */
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

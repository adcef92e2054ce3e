import { activityInfo } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import { PartloopError } from '../domain/base/errors.js';
import { poolIngestWorkflowId } from '../domain/base/ids.js';
import { LIGHT_QUEUE } from '../domain/base/queues.js';
import type { Receipt } from '../domain/ingest/receipt.js';
import type { SettledDrop, StartedIngests, StartIngestRequest } from '../domain/ingest/requests.js';
import { SIGNALS, WORKFLOWS } from '../domain/workflowNames.js';
import { withDecoderApart } from '../pool/import/decoder.js';
import { poolsWithInbox, wholeDrops } from '../pool/ingest/inbox.js';
import { settleDrop } from '../pool/ingest/settleDrop.js';
import type { ActivityDeps } from '../steps/deps.js';
import { throwIfCancelled, withHeartbeat } from '../steps/heartbeat.js';
import { choosePool } from '../steps/pool.js';
import { tellLoops } from '../steps/workflows/poolNews.js';

/** Drops that one page hands to the workflow. */
const DROPS_PER_PAGE = 100;
const MAX_REASON = 500;
/** So often a fault may end a reading of one drop: one of our own, and any other. */
const OWN_ATTEMPTS = 5;
const MAX_ATTEMPTS = 30;
/** After so many, a file that the store does not give is refused, so that the others come in. */
const FILE_ATTEMPTS = 10;

type IngestDeps = ActivityDeps & { client: Client };

/** A page of an inbox. */
export interface InboxPage {
  /** Whole drops, in order of their names. */
  drops: string[];
  /** The name to go on behind; null at the end of the inbox. */
  last: string | null;
}

/** A drop was settled, or is not ready: then `until` says when it is worth a look, null if its marker went. */
export type DropAnswer =
  | { kind: 'settled'; settled: SettledDrop }
  | { kind: 'waiting'; until: string; missing: number; added: number }
  | { kind: 'incomplete' };

/** Inboxes: what lies in them, and how a drop comes into its pool. */
export function createIngestActivities(deps: IngestDeps) {
  return {
    startIngests: (input: { request: StartIngestRequest }) => startIngests(deps, input.request),
    lookAtInbox: (input: { pool: string; after: string | null }) => lookAtInbox(deps, input),
    settleDrop: (input: { pool: string; drop: string }) => settle(deps, input),
    tellLoops: ({ pool }: { pool: string }) => tellLoops(deps.client, pool),
  };
}

/** Start the ingest of a pool, or wake the one that runs; of every pool with an inbox if none is named. */
async function startIngests({ store, client }: IngestDeps, { pool }: StartIngestRequest): Promise<StartedIngests> {
  const pools = pool === undefined ? await poolsWithInbox(store) : [await choosePool(store, pool)];
  const ingests: StartedIngests['ingests'] = [];
  for (const name of pools) ingests.push(await wakeIngest(client, name));
  return { ingests };
}

/** Signal the ingest of a pool; it is started if it does not run. Harmless at any time, and twice. */
export async function wakeIngest(client: Client, pool: string): Promise<StartedIngests['ingests'][number]> {
  const workflowId = poolIngestWorkflowId(pool);
  await client.workflow.signalWithStart(WORKFLOWS.poolIngest, {
    ...{ workflowId, taskQueue: LIGHT_QUEUE, args: [{}], signal: SIGNALS.dropArrived, signalArgs: [] },
    staticSummary: `drops for pool ${pool}`,
  });
  return { pool, workflowId, path: `/namespaces/${client.options.namespace}/workflows/${workflowId}` };
}

/** A page of an inbox at a time: clients may leave thousands of drops there that are never whole. */
function lookAtInbox(
  { store }: IngestDeps,
  { pool, after }: { pool: string; after: string | null },
): Promise<InboxPage> {
  return withHeartbeat(({ signal }) =>
    wholeDrops(store, pool, { after, limit: DROPS_PER_PAGE, onProgress: () => throwIfCancelled(signal) }),
  );
}

/** One drop, with a process of its own for its pictures: what a client sends must not end this worker. */
function settle({ store }: IngestDeps, { pool, drop }: { pool: string; drop: string }): Promise<DropAnswer> {
  return withHeartbeat(async ({ report, signal }) => {
    refuseEndless(drop);
    let last = 0;
    const onProgress = (done: number): void => {
      if (Date.now() - last < 1_000) return;
      last = Date.now();
      report({ phase: 'reading a drop', done, total: done, unit: 'images', note: drop });
    };
    const outcome = await withDecoderApart((decoder) =>
      settleDrop(store, { pool, drop, decoder, signal, onProgress, givesUp: activityInfo().attempt > FILE_ATTEMPTS }),
    ).catch((error: unknown) => {
      if (signal.aborted) throw signal.reason;
      throw givenUp(drop, error);
    });
    return outcome.kind === 'settled' ? { kind: 'settled', settled: summaryOf(outcome.receipt) } : outcome;
  });
}

/**
 * A fault that comes back with every try must not hold up the other drops for ever: one of our own is given up after a
 * few tries, any other after half an hour of them. The drop stays, and the next ingest tries it again.
 */
function givenUp(drop: string, error: unknown): unknown {
  const { attempt } = activityInfo();
  const isOurs = !(error instanceof PartloopError) || error.code === 'internal';
  if (attempt < (isOurs ? OWN_ATTEMPTS : MAX_ATTEMPTS)) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new PartloopError('no-progress', `${attempt} attempts at drop ${drop} failed: ${message}`, { cause: error });
}

/** For a try that never came to its end: the process died over the drop, again and again. */
function refuseEndless(drop: string): void {
  if (activityInfo().attempt > 2 * MAX_ATTEMPTS)
    throw new PartloopError('no-progress', `${2 * MAX_ATTEMPTS} attempts at drop ${drop} ended without an answer`);
}

function summaryOf(receipt: Receipt): SettledDrop {
  const { drop, arrival, outcome, reason, added, replaced, updated, restored, known, refused, removals } = receipt;
  return {
    ...{ drop, arrival, outcome, reason: reason?.slice(0, MAX_REASON) ?? null },
    ...{ added, changed: replaced + updated + restored, known, refused, removed: removals?.removed ?? 0 },
  };
}

import { activityInfo } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import { sweepPage } from '../cleanup/gc/collectGarbage.js';
import { openWork } from '../cleanup/openWork.js';
import type { SweepPlace } from '../domain/cleanup/place.js';
import { type CleanUpPage, type CleanUpRequest, pageOf } from '../domain/cleanup/requests.js';
import { cleanUpOccasion } from '../domain/notify/cleanUpOccasion.js';
import type { ActivityDeps } from '../steps/deps.js';
import { throwIfCancelled, withHeartbeat } from '../steps/heartbeat.js';

/** Loops and scans that one page looks at. */
const LOOPS_PER_PAGE = 20;

type CleanUpDeps = ActivityDeps & { client: Client };

export interface SweepInput {
  request: CleanUpRequest;
  /** Decided once for a whole clean-up, as ISO times. */
  cutoffs: { written: string; abandoned: string };
  place: SweepPlace;
}

/** The deletion of what nothing reads any more. */
export function createCleanUpActivities(deps: CleanUpDeps) {
  return {
    sweepStore: (input: SweepInput) => sweepStore(deps, input),

    /** Tell the webhook that a clean-up failed. */
    async tellFailedCleanUp({ error }: { error: string }): Promise<void> {
      const { workflowExecution } = activityInfo();
      await deps.notify?.([cleanUpOccasion(workflowExecution?.runId ?? '', error)]);
    },
  };
}

/** A page of a clean-up. A second run finds what the first one left. */
function sweepStore(
  { store, client, log }: CleanUpDeps,
  { request, cutoffs, place }: SweepInput,
): Promise<{ page: CleanUpPage; next: SweepPlace | null }> {
  return withHeartbeat(async ({ report, signal }) => {
    const sweep = {
      cutoffs: { written: new Date(cutoffs.written), abandoned: new Date(cutoffs.abandoned) },
      openWork: () => openWork(client),
      ...{ withShards: request.shards, withCopies: request.copies, isFinal: request.delete },
      onLoop: (done: number, total: number): void => {
        throwIfCancelled(signal);
        report({ phase: 'clearing the store', done, total, unit: 'loops' });
      },
      onProgress: (): void => throwIfCancelled(signal),
    };
    const { next, ...found } = await sweepPage(store, sweep, { place, limit: LOOPS_PER_PAGE });
    for (const { key, why } of found.unreadable) log.warn({ key, why }, 'a record cannot be read: its objects stay');
    for (const { key, reason } of found.failed) log.warn({ key, reason }, 'an object could not be deleted');
    return { page: pageOf(found), next };
  });
}

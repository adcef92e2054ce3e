import {
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  isCancellation,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { counted } from '../domain/base/counted.js';
import { PartloopError } from '../domain/base/errors.js';
import { parsePoolIngestWorkflowId } from '../domain/base/ids.js';
import { ingestDetails } from '../domain/ingest/details.js';
import { type IngestProgress, ingestProgressSchema, withSettled } from '../domain/ingest/requests.js';
import { parseRecorded } from '../domain/settings/parse.js';
import { QUERIES, SIGNALS } from '../domain/workflowNames.js';
import { bookkeeping, ingesting } from './activities.js';
import { orFail, rootMessage } from './failures.js';

const dropArrivedSignal = defineSignal(SIGNALS.dropArrived);
const ingestProgressQuery = defineQuery<IngestProgress>(QUERIES.progress);

/** A drop that never stops changing, or waits for days, must not keep the rest of the inbox from a look. */
const LONGEST_WAIT_MS = 24 * 60 * 60 * 1000;
const SHORTEST_WAIT_MS = 10_000;

/**
 * The inbox of one pool: settles drop after drop until none is ready, and tells the loops of the pool. One workflow per
 * pool, so that no drop is read twice at once. It ends when nothing waits; `startIngest` wakes it or starts it anew.
 */
export async function poolIngest(raw: unknown = {}): Promise<IngestProgress> {
  const pool = orFail(() => parsePoolIngestWorkflowId(workflowInfo().workflowId));
  let progress = orFail(() => parseRecorded(ingestProgressSchema, raw, '`poolIngest`'));
  let hasNews = true;
  setHandler(
    dropArrivedSignal,
    () => {
      hasNews = true;
    },
    { description: 'A drop may be whole: the inbox is looked at again' },
  );
  setHandler(ingestProgressQuery, () => progress, { description: 'Drops settled so far, and those that wait' });
  const show = (): void => setCurrentDetails(ingestDetails(pool, progress));

  for (;;) {
    hasNews = false;
    progress = { ...progress, waiting: [], failed: [], current: null };
    let isAnySettled = false;
    const { ready } = await bookkeeping.lookAtInbox({ pool });
    for (const drop of ready) {
      progress = { ...progress, current: drop };
      show();
      const answer = await ingesting.settleDrop({ pool, drop }).catch((error: unknown) => {
        if (isCancellation(error)) throw error;
        return { kind: 'failed' as const, error: rootMessage(error) };
      });
      if (answer.kind === 'failed') {
        progress = { ...progress, failed: [...progress.failed, { drop, error: answer.error }] };
      } else if (answer.kind === 'waiting') {
        const { until, missing } = answer;
        progress = { ...progress, waiting: [...progress.waiting, { drop, until, missing }] };
      } else if (answer.kind === 'settled') {
        isAnySettled = true;
        progress = withSettled(progress, answer.settled);
        if (answer.settled.added > 0) await bookkeeping.tellLoops({ pool });
      }
      if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof poolIngest>({ ...progress, current: null });
    }
    progress = { ...progress, current: null };
    show();
    if (isAnySettled || hasNews) continue;
    const [first] = progress.waiting.map(({ until }) => Date.parse(until) - Date.now()).sort((a, b) => a - b);
    if (first === undefined) return orFail(() => ended(pool, progress));
    await condition(() => hasNews, Math.min(Math.max(first, SHORTEST_WAIT_MS), LONGEST_WAIT_MS));
  }
}

/**
 * What an ingest answers.
 *
 * @throws PartloopError `no-progress` naming the drops that could not be read
 */
function ended(pool: string, progress: IngestProgress): IngestProgress {
  const [first, ...others] = progress.failed;
  if (first === undefined) return progress;
  const more = others.length === 0 ? '' : `; nor could ${counted(others.length, 'other drop', 'other drops')}`;
  throw new PartloopError(
    'no-progress',
    `drop ${first.drop} of pool ${pool} could not be read: ${first.error}${more}`,
    {
      hint: `All other drops are settled. Mend the fault, then \`partloop ingest run ${pool}\` looks again.`,
    },
  );
}

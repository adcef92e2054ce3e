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
import type { DropAnswer, InboxPage } from '../activities/ingest.js';
import { counted } from '../domain/base/counted.js';
import { PartloopError } from '../domain/base/errors.js';
import { parsePoolIngestWorkflowId } from '../domain/base/ids.js';
import { ingestDetails } from '../domain/ingest/details.js';
import {
  type IngestProgress,
  ingestProgressSchema,
  withFailed,
  withSettled,
  withWaiting,
} from '../domain/ingest/requests.js';
import { parseRecorded } from '../domain/settings/parse.js';
import { QUERIES, SIGNALS } from '../domain/workflowNames.js';
import { bookkeeping, ingesting, light } from './activities.js';
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
    let [isAnySettled, isGrown] = [false, false];
    for (let after: string | null = null; ; ) {
      const page: InboxPage = await light.lookAtInbox({ pool, after });
      for (const drop of page.drops) {
        progress = { ...progress, current: drop };
        show();
        const answer = await settle(pool, drop);
        isAnySettled ||= answer.kind === 'settled';
        isGrown ||= addedBy(answer) > 0;
        progress = withAnswer(progress, drop, answer);
      }
      if (workflowInfo().continueAsNewSuggested) {
        if (isGrown) await bookkeeping.tellLoops({ pool });
        await continueAsNew<typeof poolIngest>({ ...progress, current: null });
      }
      if (page.last === null) break;
      after = page.last;
    }
    if (isGrown) await bookkeeping.tellLoops({ pool });
    progress = { ...progress, current: null };
    show();
    if (isAnySettled || hasNews) continue;
    const [first] = progress.waiting.map(({ until }) => Date.parse(until) - Date.now()).sort((a, b) => a - b);
    if (first === undefined) return orFail(() => ended(pool, progress));
    await condition(() => hasNews, Math.min(Math.max(first, SHORTEST_WAIT_MS), LONGEST_WAIT_MS));
  }
}

type Answer = DropAnswer | { kind: 'failed'; error: string };

/** A fault of one drop must not keep the others waiting. */
async function settle(pool: string, drop: string): Promise<Answer> {
  try {
    return await ingesting.settleDrop({ pool, drop });
  } catch (error) {
    if (isCancellation(error)) throw error;
    return { kind: 'failed', error: rootMessage(error) };
  }
}

const addedBy = (answer: Answer): number =>
  answer.kind === 'settled' ? answer.settled.added : answer.kind === 'waiting' ? answer.added : 0;

function withAnswer(progress: IngestProgress, drop: string, answer: Answer): IngestProgress {
  switch (answer.kind) {
    case 'settled':
      return withSettled(progress, answer.settled);
    case 'waiting':
      return withWaiting(progress, { drop, until: answer.until, missing: answer.missing });
    case 'failed':
      return withFailed(progress, { drop, error: answer.error });
    case 'incomplete':
      return progress;
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

import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { executeChild, isCancellation, setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import { PartloopError } from '../domain/base/errors.js';
import { CLEAN_UP_ID } from '../domain/base/ids.js';
import { cleanUpDetails, undeletedText } from '../domain/cleanup/details.js';
import { FIRST_PLACE, type SweepPlace } from '../domain/cleanup/place.js';
import {
  type CleanUpRequest,
  type CleanUpResult,
  cleanUpSchema,
  cutoffTimes,
  nothingYet,
  withPage,
} from '../domain/cleanup/requests.js';
import { parseRequest } from '../domain/settings/parse.js';
import { bookkeeping, light } from './activities.js';
import { failureOf, orFail, plainly, rootMessage } from './failures.js';

/**
 * The clean-up of the store, as the UI's start form and a Schedule start it, under any id. The work is done under one
 * id, so that no two run at once. Without `delete` it only counts.
 */
export async function cleanUp(input: unknown = {}): Promise<CleanUpResult> {
  const request = orFail(() => parseRequest(cleanUpSchema, input, '`cleanUp`'));
  if (workflowInfo().workflowId !== CLEAN_UP_ID) return underItsId(request);
  try {
    return await sweep(request);
  } catch (error) {
    if (!isCancellation(error)) await bookkeeping.tellFailedCleanUp({ error: rootMessage(error) });
    throw error;
  }
}

async function underItsId(request: CleanUpRequest): Promise<CleanUpResult> {
  setCurrentDetails(`The clean-up runs as the workflow \`${CLEAN_UP_ID}\`.`);
  try {
    const result = await plainly(
      executeChild(cleanUp, {
        ...{ workflowId: CLEAN_UP_ID, args: [request] },
        staticSummary: request.delete ? 'delete what nothing reads any more' : 'count what nothing reads any more',
      }),
    );
    setCurrentDetails(cleanUpDetails(result, true));
    return result;
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    throw failureOf('refused', `a clean-up runs already: the workflow \`${CLEAN_UP_ID}\``, 'Start it once more after.');
  }
}

/**
 * Page by page, so that a page that is lost is all that is looked at again.
 *
 * @throws ApplicationFailure `store-unavailable` naming objects that the store did not delete, after all were tried
 */
async function sweep(request: CleanUpRequest): Promise<CleanUpResult> {
  const cutoffs = cutoffTimes(request, Date.now());
  let result = nothingYet(request);
  for (let place: SweepPlace | null = FIRST_PLACE; place !== null; ) {
    setCurrentDetails(cleanUpDetails(result, false));
    const swept: Awaited<ReturnType<typeof light.sweepStore>> = await light.sweepStore({ request, cutoffs, place });
    result = withPage(result, swept.page);
    place = swept.next;
  }
  setCurrentDetails(cleanUpDetails(result, true));
  if (result.failedCount === 0) return result;
  return orFail(() => {
    throw new PartloopError('store-unavailable', undeletedText(result.failed, result.failedCount), {
      hint: 'The credentials of the workers must be allowed to delete. The next clean-up tries again.',
    });
  });
}

import { CLEAN_UP_ID } from '../base/ids.js';
import { oneLine } from '../base/oneLine.js';
import { MAX_ERROR, type Occasion } from './occasion.js';

/**
 * A clean-up of the store failed.
 *
 * @param runId of its workflow
 */
export function cleanUpOccasion(runId: string, reason: string): Occasion {
  const error = oneLine(reason).slice(0, MAX_ERROR);
  return {
    ...{ event: 'cleanup.failed', loop: null, iteration: null, workflowId: CLEAN_UP_ID, of: runId },
    ...{ text: `the clean-up of the store failed: ${error}`, figures: { error }, report: null },
  };
}

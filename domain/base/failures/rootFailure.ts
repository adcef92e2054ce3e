import { z } from 'zod';
import { type FailureCode, isFailureCode } from './failure.js';

/** The message of whoever threw the failure. */
export interface RootFailure {
  /** Null if no failure in the chain has one of our codes. */
  code: FailureCode | null;
  message: string;
  hint: string | null;
  /** True if somebody or a time limit ended the work before it could report anything itself. */
  ended: boolean;
}

const MAX_MESSAGE = 2_000;
const detailsSchema = z.tuple([z.looseObject({ hint: z.string().nullable() })]).rest(z.unknown());

/** Failures that Temporal itself creates. Their messages are empty, one word, or a reason that somebody gave. */
const ENDS: Readonly<Record<string, string>> = {
  CancelledFailure: 'was cancelled',
  TerminatedFailure: 'was terminated',
  TimeoutFailure: 'ran into its time limit',
};
/** Words of Temporal that add nothing to the sentence. */
const STOCK =
  /^(Cancell?ed|Terminated|Workflow (execution )?(cancell?ed|terminated|timed out).*|activity .*timeout.*)?$/i;
const childSchema = z.looseObject({ execution: z.looseObject({ workflowId: z.string().min(1) }) });
const activitySchema = z.looseObject({ activityType: z.string().min(1) });

/**
 * The innermost failure with one of our codes, as it was before it travelled through Temporal. Below it is the cause in
 * a library's words. Without such a failure: the innermost message; if Temporal itself ended the work, a sentence that
 * names the ended work.
 */
export function rootFailure(error: unknown): RootFailure {
  let found: RootFailure = { code: null, message: 'unknown error', hint: null, ended: false };
  let around: string | null = null;
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const code = 'type' in cause && isFailureCode(cause.type) ? cause.type : null;
    const end = ENDS[cause.name];
    if (code !== null) found = { code, message: cause.message, hint: hintOf(cause), ended: false };
    else if (found.code === null && end !== undefined) {
      const why = STOCK.test(cause.message.trim()) ? '' : `: ${cause.message}`;
      found = { ...found, message: `${around ?? 'it'} ${end}${why}`, ended: true };
    } else if (found.code === null && !found.ended) found = { ...found, message: cause.message };
    around = nameOf(cause) ?? around;
  }
  return { ...found, message: found.message.slice(0, MAX_MESSAGE) };
}

/** The work that a failure wraps: a workflow by its id, an activity by its type; null for any other. */
function nameOf(failure: Error): string | null {
  const child = childSchema.safeParse(failure);
  if (child.success) return child.data.execution.workflowId;
  const activity = activitySchema.safeParse(failure);
  return activity.success ? `the activity ${activity.data.activityType}` : null;
}

function hintOf(failure: Error): string | null {
  const details = detailsSchema.safeParse('details' in failure ? failure.details : undefined);
  return details.success ? details.data[0].hint : null;
}

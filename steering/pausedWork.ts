import type { WorkflowExecutionDescription } from '@temporalio/client';

/** An activity that somebody paused in Temporal: it waits for them, and does not fail. */
export interface PausedWork {
  workflowId: string;
  step: string;
  /** Temporal's id of the activity in its workflow. */
  activityId: string;
  /** The person and reason, as far as Temporal knows them. */
  by: string | null;
  reason: string | null;
}

/** The paused activities of a workflow. */
export function pausedIn(workflowId: string, { pendingActivities }: WorkflowExecutionDescription['raw']): PausedWork[] {
  return (pendingActivities ?? []).flatMap(({ paused, activityType, activityId, pauseInfo }) => {
    if (paused !== true) return [];
    const { identity, reason } = pauseInfo?.manual ?? {};
    const step = activityType?.name ?? 'activity';
    return [{ workflowId, step, activityId: activityId ?? '', by: identity || null, reason: reason || null }];
  });
}

/** One line for people. */
export function pausedText({ workflowId, step, activityId, by, reason }: PausedWork): string {
  const who = by === null ? '' : `, by ${by}`;
  const why = reason === null ? '' : ` (${reason})`;
  return (
    `${step} of ${workflowId} is paused in Temporal${who}${why}. Resume it there under Pending Activities, ` +
    `or with \`temporal activity unpause --workflow-id ${workflowId} --activity-id ${activityId}\`.`
  );
}

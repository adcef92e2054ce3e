import { Context } from '@temporalio/activity';
import { type Client, WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client';
import type { FailureCode } from '../domain/base/failures/failure.js';
import { rootFailure } from '../domain/base/failures/rootFailure.js';
import { withHeartbeat } from '../steps/heartbeat.js';
import { isOpen } from '../steps/workflows/openWorkflows.js';

/** How a workflow ended; `ended` without a result: cancelled, terminated, timed out, or no longer known. */
export type JoinedWorkflow =
  | { status: 'completed'; result: unknown }
  | { status: 'failed'; code: FailureCode; message: string; hint: string | null }
  | { status: 'ended' };

/** Watches other workflows of this service, whoever started them. */
export function createRunningActivities({ client }: { client: Client }) {
  return {
    /** Whether a run of this workflow is open. */
    async isRunning({ workflowId }: { workflowId: string }): Promise<boolean> {
      return isOpen(client, workflowId);
    },

    /**
     * Wait for a workflow's end. A cancellation is passed on to it, followed by a wait for its end; a worker's shutdown
     * is not passed on.
     */
    async joinWorkflow({ workflowId }: { workflowId: string }): Promise<JoinedWorkflow> {
      const handle = client.workflow.getHandle(workflowId);
      return withHeartbeat(async ({ signal }) => {
        const end = endOf(handle.result());
        const first = await Promise.race([end, aborted(signal)]);
        if (first !== 'aborted') return first;
        if (Context.current().cancellationDetails?.cancelRequested === true) {
          await handle.cancel().catch(ignoreGone);
          await end;
        }
        throw signal.reason;
      });
    },
  };
}

async function endOf(result: Promise<unknown>): Promise<JoinedWorkflow> {
  try {
    return { status: 'completed', result: await result };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return { status: 'ended' };
    if (!(error instanceof WorkflowFailedError)) throw error;
    const { code, message, hint } = rootFailure(error);
    return code === null ? { status: 'ended' } : { status: 'failed', code, message, hint };
  }
}

function aborted(signal: AbortSignal): Promise<'aborted'> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve('aborted');
    else signal.addEventListener('abort', () => resolve('aborted'), { once: true });
  });
}

function ignoreGone(error: unknown): void {
  if (!(error instanceof WorkflowNotFoundError)) throw error;
}

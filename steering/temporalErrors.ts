import {
  isGrpcServiceError,
  ServiceError,
  WorkflowFailedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from '@temporalio/client';
import { PartloopError } from '../domain/base/errors.js';
import { rootFailure } from '../domain/base/failures/rootFailure.js';
import { withoutHint } from '../domain/base/failures/withHint.js';
import { WORKERS_HINT } from './workersThere.js';

/** A workflow answers through a worker of role `light`: without one, the service only says that the call failed. */
export async function answered<T>(loop: string, work: () => Promise<T>): Promise<T> {
  try {
    return await asPartloopError(work, loop);
  } catch (cause) {
    if (!(cause instanceof ServiceError) && !isGrpcServiceError(cause)) throw cause;
    throw new PartloopError('stack-unavailable', `no worker of role \`light\` answers for loop \`${loop}\``, {
      cause,
      hint: WORKERS_HINT,
    });
  }
}

/** Turn Temporal's client errors into ours: the innermost failure says what happened. */
export async function asPartloopError<T>(work: () => Promise<T>, loop?: string): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) {
      throw new PartloopError('not-found', loop === undefined ? error.message : `no loop \`${loop}\` is running`, {
        cause: error,
        hint: 'Start it with `partloop loop start`; `partloop loop status` without a name lists the loops.',
      });
    }
    if (!(error instanceof WorkflowFailedError) && !(error instanceof WorkflowUpdateFailedError)) throw error;
    throw asThrown(error);
  }
}

/** The failure as it was thrown. The UI shows only the message, so the hint is at its end too. */
function asThrown(error: Error): PartloopError {
  const { code, message, hint, ended } = rootFailure(error);
  return new PartloopError(code ?? (ended ? 'interrupted' : 'internal'), withoutHint(message, hint), {
    cause: error,
    ...(hint === null ? {} : { hint }),
  });
}

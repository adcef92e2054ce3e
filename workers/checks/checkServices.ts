import type { Client } from '@temporalio/client';
import { PartloopError } from '../../domain/base/errors.js';
import { missingSearchAttributes, registrationHint } from '../searchAttributes.js';

/** Numbers of gRPC. */
const NOT_FOUND = 5;
const PERMISSION_DENIED = 7;
const UNAUTHENTICATED = 16;

/**
 * The namespace must exist, admit us, and have our search attributes: a workflow that sets an unregistered one would be
 * retried silently forever.
 *
 * @throws PartloopError `setup-incomplete`, or `stack-unavailable` if the service does not answer
 */
export async function checkNamespace({ connection, options }: Client, address: string): Promise<void> {
  const { namespace } = options;
  try {
    await connection.workflowService.describeNamespace({ namespace });
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : null;
    if (code === NOT_FOUND) {
      throw new PartloopError('setup-incomplete', `Temporal at ${address} has no namespace ${namespace}`, {
        cause,
        hint: 'Make it (temporal operator namespace create), or set TEMPORAL_NAMESPACE to one that exists.',
      });
    }
    if (code === PERMISSION_DENIED || code === UNAUTHENTICATED) {
      throw new PartloopError('setup-incomplete', `Temporal at ${address} refuses access to namespace ${namespace}`, {
        cause,
        hint: 'Check TEMPORAL_API_KEY or the certificate of TEMPORAL_TLS_*.',
      });
    }
    throw unanswered(address, cause);
  }
  await checkSearchAttributes({ connection, options }, address);
}

async function checkSearchAttributes(
  { connection, options: { namespace } }: Pick<Client, 'connection' | 'options'>,
  address: string,
): Promise<void> {
  let missing: Awaited<ReturnType<typeof missingSearchAttributes>>;
  try {
    missing = await missingSearchAttributes(connection, namespace, address);
  } catch (cause) {
    if (cause instanceof PartloopError) throw cause;
    // A service may let only its operators list them: its answers to workflows will show a fault.
    if (cause instanceof Error && 'code' in cause && cause.code === PERMISSION_DENIED) return;
    throw unanswered(address, cause);
  }
  if (missing.length === 0) return;
  const names = missing.map(({ name }) => name).join(', ');
  throw new PartloopError(
    'setup-incomplete',
    `namespace ${namespace} at ${address} lacks search attributes: ${names}`,
    {
      hint: registrationHint(missing, address, namespace),
    },
  );
}

const unanswered = (address: string, cause: unknown): PartloopError =>
  new PartloopError('stack-unavailable', `Temporal at ${address} does not answer as it should`, {
    cause,
    hint: 'Check the service; the worker tries again when it starts again.',
  });

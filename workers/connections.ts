import { Client, Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { PartloopError } from '../domain/errors.js';
import { readVariables } from '../domain/variables.js';
import type { ObjectStore } from '../storage/objectStore.js';
import { openStore } from '../storage/s3.js';

/** The store that `PARTLOOP_STORE=s3://bucket/prefix` and the AWS SDK's own variables name. */
export function storeFromEnvironment(environment: NodeJS.ProcessEnv): ObjectStore {
  const { PARTLOOP_STORE: uri, ...variables } = readVariables(environment);
  if (uri === undefined) {
    throw new PartloopError('setup-incomplete', 'PARTLOOP_STORE is not set', {
      hint: 'Set it to s3://bucket/prefix, or start the local stack with `partloop up`, which sets it for its workers.',
    });
  }
  const endpoint = variables.AWS_ENDPOINT_URL_S3 ?? variables.AWS_ENDPOINT_URL;
  return openStore({
    uri,
    region: variables.AWS_REGION ?? variables.AWS_DEFAULT_REGION ?? 'us-east-1',
    ...(endpoint === undefined ? {} : { endpoint }),
  });
}

/** Options that reach the Temporal service named by Temporal's own environment configuration. */
export function temporalFromEnvironment(): { connection: { address: string }; namespace: string } {
  const { connectionOptions, namespace } = loadClientConnectConfig();
  return {
    connection: { ...connectionOptions, address: connectionOptions.address ?? '127.0.0.1:7233' },
    namespace: namespace ?? 'default',
  };
}

export async function connectClient(): Promise<Client> {
  const { connection, namespace } = temporalFromEnvironment();
  return new Client({
    connection: await Connection.connect({ ...connection, connectTimeout: '10 seconds' }),
    namespace,
  });
}

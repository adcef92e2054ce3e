import { Client, Connection } from '@temporalio/client';
import { PartloopError } from '../domain/base/errors.js';
import type { StoreOptions } from '../storage/objects/s3.js';
import { storeAddress, storeOptions } from '../storage/objects/storeAddress.js';
import { temporalConfig } from './temporalConfig.js';

/** The place of the store that `PARTLOOP_STORE=s3://bucket/prefix` names, in a worker's form. */
export async function storeFromEnvironment(environment: NodeJS.ProcessEnv): Promise<StoreOptions> {
  const address = await storeAddress(environment);
  if (address !== null) return storeOptions(address);
  throw new PartloopError('setup-incomplete', 'PARTLOOP_STORE is not set', {
    hint: 'Set it to s3://bucket/prefix, or start the local stack with `partloop up`, which sets it for its workers.',
  });
}

/** Options that reach the Temporal service named by Temporal's own environment configuration. */
export function temporalFromEnvironment(): { connection: { address: string }; namespace: string } {
  const { connectionOptions, namespace } = temporalConfig();
  return {
    connection: { ...connectionOptions, address: connectionOptions.address ?? '127.0.0.1:7233' },
    namespace: namespace ?? 'default',
  };
}

/** @throws PartloopError `stack-unavailable` if no service answers */
export async function connectClient(): Promise<Client> {
  const { connection, namespace } = temporalFromEnvironment();
  try {
    return new Client({
      connection: await Connection.connect({ ...connection, connectTimeout: '10 seconds' }),
      namespace,
    });
  } catch (cause) {
    throw new PartloopError('stack-unavailable', `no Temporal service answers at ${connection.address}`, {
      cause,
      hint: 'Check TEMPORAL_ADDRESS and the other variables of Temporal, and whether the service runs.',
    });
  }
}

import { loadClientConnectConfig } from '@temporalio/envconfig';
import { readVariables } from '../domain/variables.js';

/** Variables by which a user names a Temporal service of their own. */
const TEMPORAL_CHOICES = ['TEMPORAL_ADDRESS', 'TEMPORAL_PROFILE', 'TEMPORAL_CONFIG_FILE'] as const;

export interface ForeignTemporal {
  address: string;
  namespace: string;
  uiUrl: string | null;
}

export interface ForeignStore {
  uri: string;
  endpoint: string | null;
  region: string;
}

/** The Temporal service that the environment names, by Temporal's own rules; null where it names none. */
export function foreignTemporal(): ForeignTemporal | null {
  const variables = readVariables(process.env);
  if (TEMPORAL_CHOICES.every((name) => variables[name] === undefined)) return null;
  const { connectionOptions, namespace } = loadClientConnectConfig();
  return {
    address: connectionOptions.address ?? 'localhost:7233',
    namespace: namespace ?? 'default',
    uiUrl: variables.TEMPORAL_UI_URL?.replace(/\/$/, '') ?? null,
  };
}

/** The store that `PARTLOOP_STORE` names; null where it names none. Its credentials are the AWS SDK's own business. */
export function foreignStore(): ForeignStore | null {
  const variables = readVariables(process.env);
  if (variables.PARTLOOP_STORE === undefined) return null;
  return {
    uri: variables.PARTLOOP_STORE,
    endpoint: variables.AWS_ENDPOINT_URL_S3 ?? variables.AWS_ENDPOINT_URL ?? null,
    region: variables.AWS_REGION ?? variables.AWS_DEFAULT_REGION ?? 'us-east-1',
  };
}

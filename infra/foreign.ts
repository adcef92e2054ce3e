import { loadClientConnectConfig } from '@temporalio/envconfig';

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

const isSet = (value: string | undefined): value is string => value !== undefined && value !== '';

/** The Temporal service that the environment names, by Temporal's own rules; null where it names none. */
export function foreignTemporal(): ForeignTemporal | null {
  if (!TEMPORAL_CHOICES.some((name) => isSet(process.env[name]))) return null;
  const { connectionOptions, namespace } = loadClientConnectConfig();
  return {
    address: connectionOptions.address ?? 'localhost:7233',
    namespace: namespace ?? 'default',
    uiUrl: process.env.TEMPORAL_UI_URL?.replace(/\/$/, '') || null,
  };
}

/** The store that `PARTLOOP_STORE` names; null where it names none. Its credentials are the AWS SDK's own business. */
export function foreignStore(): ForeignStore | null {
  const { PARTLOOP_STORE, AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, AWS_REGION, AWS_DEFAULT_REGION } = process.env;
  if (!isSet(PARTLOOP_STORE)) return null;
  return {
    uri: PARTLOOP_STORE,
    endpoint: AWS_ENDPOINT_URL_S3 ?? AWS_ENDPOINT_URL ?? null,
    region: AWS_REGION ?? AWS_DEFAULT_REGION ?? 'us-east-1',
  };
}

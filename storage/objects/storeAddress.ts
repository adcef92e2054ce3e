import { loadSharedConfigFiles } from '@smithy/core/config';
import { PartloopError } from '../../domain/base/errors.js';
import { readVariables, type StoreEncryption } from '../../domain/settings/variables.js';
import type { StoreOptions } from './s3.js';

type Environment = Readonly<Record<string, string | undefined>>;
type Profile = Readonly<Record<string, string | undefined>>;

/** The place of a store. */
export type StoreAddress = Required<Pick<StoreOptions, 'uri' | 'region'>> & {
  /** Null for AWS itself. */
  endpoint: string | null;
  /** Null: as the bucket is set. */
  encryption: StoreEncryption | null;
};

/** A store with known credentials; without any, the AWS SDK finds them. */
type KnownStore = StoreAddress & { credentials?: StoreOptions['credentials'] | null };

/** What `openStore` takes for an address. */
export function storeOptions({ uri, region, endpoint, encryption, credentials }: KnownStore): StoreOptions {
  return {
    ...{ uri, region },
    ...(endpoint === null ? {} : { endpoint }),
    ...(encryption === null ? {} : { encryption }),
    ...(credentials == null ? {} : { credentials }),
  };
}

/** Default region: one must be named, but servers other than AWS mostly accept any. */
const USUAL_REGION = 'us-east-1';
const IMDS_USUAL = 'http://169.254.169.254';
/** On a machine outside AWS nobody answers at this address. */
const IMDS_TIMEOUT_MS = 1_000;
/** The AWS SDK's separator for names of a nested section of the configuration file. */
const NESTED = '.';

/**
 * The store that `PARTLOOP_STORE=s3://bucket/prefix` names; null if it is unset. Endpoint and region are those that
 * every AWS program would use: variables, then the profile in the configuration files, then, for the region of AWS
 * itself, the instance on which this runs. Commands and workers both use this, so they never mean two stores.
 */
export async function storeAddress(environment: Environment = process.env): Promise<StoreAddress | null> {
  const variables = readVariables(environment);
  if (variables.PARTLOOP_STORE === undefined) return null;
  const profile = await profileOf(environment);
  const configured = profile.ignoresEndpoints
    ? undefined
    : (variables.AWS_ENDPOINT_URL_S3 ?? variables.AWS_ENDPOINT_URL ?? profile.endpoint);
  const endpoint = configured ?? null;
  if (endpoint !== null && !URL.canParse(endpoint))
    throw new PartloopError(
      'config-invalid',
      `endpoint_url of AWS profile \`${profile.name}\` is not an address: ${endpoint}`,
      {
        hint: 'Write an address such as http://127.0.0.1:9000.',
      },
    );
  const named = variables.AWS_REGION ?? variables.AWS_DEFAULT_REGION ?? profile.region;
  const region = named ?? (endpoint === null ? await instanceRegion(environment) : null) ?? USUAL_REGION;
  return { uri: variables.PARTLOOP_STORE, endpoint, region, encryption: variables.PARTLOOP_STORE_ENCRYPTION ?? null };
}

interface KnownProfile {
  name: string;
  endpoint: string | undefined;
  region: string | undefined;
  ignoresEndpoints: boolean;
}

/** The settings of the profile in use, from `~/.aws/config` and `~/.aws/credentials` or the files that replace them. */
async function profileOf(environment: Environment): Promise<KnownProfile> {
  const name = environment.AWS_PROFILE || 'default';
  const home = environment.HOME ?? environment.USERPROFILE ?? '';
  const { configFile, credentialsFile } = await loadSharedConfigFiles({
    filepath: environment.AWS_SHARED_CREDENTIALS_FILE || `${home}/.aws/credentials`,
    configFilepath: environment.AWS_CONFIG_FILE || `${home}/.aws/config`,
    ignoreCache: true,
  });
  const profile: Profile = { ...credentialsFile[name], ...configFile[name] };
  const services: Profile = configFile[['services', profile.services].join(NESTED)] ?? {};
  const isTrue = (value: string | undefined): boolean => value?.toLowerCase() === 'true';
  return {
    name,
    endpoint: services[['s3', 'endpoint_url'].join(NESTED)] || profile.endpoint_url || undefined,
    region: profile.region || undefined,
    ignoresEndpoints: isTrue(
      environment.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS || profile.ignore_configured_endpoint_urls,
    ),
  };
}

/** The region of the EC2 instance on which this runs; null elsewhere. */
async function instanceRegion(environment: Environment): Promise<string | null> {
  if (environment.AWS_EC2_METADATA_DISABLED?.toLowerCase() === 'true') return null;
  const service = (environment.AWS_EC2_METADATA_SERVICE_ENDPOINT || IMDS_USUAL).replace(/\/$/, '');
  const signal = AbortSignal.timeout(IMDS_TIMEOUT_MS);
  try {
    const token = await fetch(`${service}/latest/api/token`, {
      method: 'PUT',
      headers: { 'x-aws-ec2-metadata-token-ttl-seconds': '60' },
      signal,
    });
    if (!token.ok) return null;
    const headers = { 'x-aws-ec2-metadata-token': await token.text() };
    const answer = await fetch(`${service}/latest/meta-data/placement/region`, { headers, signal });
    const region = answer.ok ? (await answer.text()).trim() : '';
    return /^[a-z]{2}(-[a-z]+)+-\d+$/.test(region) ? region : null;
  } catch {
    return null;
  }
}

import { S3Client } from '@aws-sdk/client-s3';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { PartloopError } from '../../../domain/base/errors.js';
import type { StoreEncryption } from '../../../domain/settings/variables.js';
import { type EncryptionFields, encryptionFields } from './encryption.js';

// The SDK's notice about coming Node releases is for maintainers, who see it in its changelog, not for people at a
// terminal.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';

export interface StoreOptions {
  /** `s3://bucket/prefix`. */
  uri: string;
  region: string;
  /** Only for servers other than AWS. */
  endpoint?: string;
  /** If omitted: the AWS SDK's own chain. */
  credentials?: { accessKeyId: string; secretAccessKey: string };
  /** Left out: as the bucket is set. */
  encryption?: StoreEncryption;
  /** How long one request may take, and a connection stay silent, before it is tried again. */
  timeoutMs?: number;
  /** Number of attempts before a request's fault is reported. */
  attempts?: number;
}

/** Number of attempts at a request, unless the options say otherwise. */
export const MAX_ATTEMPTS = 8;
const TIMEOUT_MS = 120_000;
const OBJECT_URI = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\/(.+)$/s;

/** A connection to one bucket, and the prefix of the store's keys there. */
export interface Bucket {
  client: S3Client;
  name: string;
  /** Empty, or ends in a slash. */
  prefix: string;
  /** Goes with every request that makes an object. */
  encryption: EncryptionFields;
  /** Where a key lies. An `s3://` URI in place of a key may name another bucket. */
  place(key: string): { Bucket: string; Key: string };
}

/**
 * Connect to the bucket of a store.
 *
 * @throws PartloopError `config-invalid` if its URI is not one of S3
 */
export function connect(options: StoreOptions): Bucket {
  const { bucket: name, prefix } = parseStoreUri(options.uri);
  return {
    client: newClient(options),
    name,
    prefix,
    encryption: encryptionFields(options.encryption),
    place: (key) => {
      const elsewhere = OBJECT_URI.exec(key);
      if (elsewhere?.[1] !== undefined && elsewhere[2] !== undefined)
        return { Bucket: elsewhere[1], Key: elsewhere[2] };
      return { Bucket: name, Key: `${prefix}${key}` };
    },
  };
}

/** Without all three timeouts a stalled server hangs a call forever, and a timer-driven heartbeat hides it. */
function newClient({
  region,
  endpoint,
  credentials,
  attempts,
  timeoutMs: timeout = TIMEOUT_MS,
}: StoreOptions): S3Client {
  return new S3Client({
    region,
    maxAttempts: attempts ?? MAX_ATTEMPTS,
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    ...(credentials === undefined ? {} : { credentials }),
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: new NodeHttpHandler({
      connectionTimeout: Math.min(5_000, timeout),
      requestTimeout: timeout,
      throwOnRequestTimeout: true,
      socketTimeout: timeout,
    }),
  });
}

/**
 * Bucket and prefix of a store's URI; the prefix ends in a slash unless it is empty.
 *
 * @throws PartloopError `config-invalid`
 */
export function parseStoreUri(uri: string): { bucket: string; prefix: string } {
  const match = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/.exec(uri);
  if (match?.[1] === undefined) {
    throw new PartloopError('config-invalid', `\`${uri}\` is not an S3 URI`, { hint: 'Write s3://bucket/prefix.' });
  }
  const prefix = (match[2] ?? '').replace(/^\/+|\/+$/g, '');
  return { bucket: match[1], prefix: prefix === '' ? '' : `${prefix}/` };
}

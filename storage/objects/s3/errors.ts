import { S3ServiceException } from '@aws-sdk/client-s3';
import { PartloopError } from '../../../domain/base/errors.js';

/** The HTTP status of an answer of S3; undefined if there was no answer. */
export function statusOf(error: unknown): number | undefined {
  return error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
}

export const isMissing = (error: unknown): boolean => error instanceof PartloopError && error.code === 'not-found';

/** Refusals of S3 by their codes, with a remedy. */
const REFUSALS: Readonly<Record<string, string>> = {
  InvalidAccessKeyId: 'The store does not know the access key: check AWS_ACCESS_KEY_ID, or the profile.',
  SignatureDoesNotMatch: 'The secret does not belong to the access key: check AWS_SECRET_ACCESS_KEY, or the profile.',
  ExpiredToken: 'The session has expired: sign in again, or give the machine a role.',
  InvalidToken: 'The session token is wrong: check AWS_SESSION_TOKEN.',
  RequestTimeTooSkewed: 'The clock of this machine is wrong: set it by NTP.',
};

/** Our error for a fault of S3: `not-found`, `data-changed`, `setup-incomplete`, otherwise `store-unavailable`. */
export function toPartloopError(key: string, cause: unknown): PartloopError {
  if (cause instanceof PartloopError) return cause;
  const status = statusOf(cause);
  const name = cause instanceof Error ? cause.name : 'Error';
  if (name === 'NoSuchBucket') {
    return new PartloopError('setup-incomplete', `the bucket of ${key} does not exist`, {
      cause,
      hint: 'Make the bucket, or set PARTLOOP_STORE to one that exists.',
    });
  }
  if (status === 404) return new PartloopError('not-found', `there is no object ${key} in the store`, { cause });
  if (status === 412) {
    return new PartloopError('data-changed', `${key} is not the requested version: it has changed`, { cause });
  }
  if (status === 401 || status === 403 || name in REFUSALS) {
    return new PartloopError('setup-incomplete', `the store refuses access to ${key} (${name})`, {
      cause,
      hint: REFUSALS[name] ?? 'Check the AWS credentials of this process; `partloop doctor` tries them.',
    });
  }
  if (name === 'CredentialsProviderError') {
    return new PartloopError('setup-incomplete', `there are no AWS credentials to reach ${key}`, {
      cause,
      hint: 'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or give the machine a role.',
    });
  }
  if (name.startsWith('KMS.')) {
    return new PartloopError('setup-incomplete', `the key of AWS KMS for ${key} cannot be used (${name})`, {
      cause,
      hint: 'Check PARTLOOP_STORE_ENCRYPTION, and whether that key exists, is enabled and lets these credentials use it.',
    });
  }
  if (name === 'PermanentRedirect' || name === 'AuthorizationHeaderMalformed') {
    return new PartloopError('setup-incomplete', `the bucket of ${key} is in another region (${name})`, {
      cause,
      hint: 'Set AWS_REGION to the region of the bucket.',
    });
  }
  const detail = cause instanceof Error ? cause.message : String(cause);
  return new PartloopError('store-unavailable', `the store did not answer for ${key}: ${name}: ${detail}`, { cause });
}

/** Run one request; its fault is thrown as our error. */
export async function translate<T>(key: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toPartloopError(key, error);
  }
}

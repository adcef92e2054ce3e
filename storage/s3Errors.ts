import { S3ServiceException } from '@aws-sdk/client-s3';
import { PartloopError } from '../domain/errors.js';

/** The HTTP status of an answer of S3; undefined where there was no answer. */
export function statusOf(error: unknown): number | undefined {
  return error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
}

export const isMissing = (error: unknown): boolean => error instanceof PartloopError && error.code === 'not-found';

/** What a fault of S3 means for us: `not-found`, `data-changed`, `setup-incomplete`, else `store-unavailable`. */
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
    return new PartloopError('data-changed', `${key} is not the version that was asked for: it has changed`, { cause });
  }
  if (status === 401 || status === 403) {
    return new PartloopError('setup-incomplete', `the store refuses access to ${key} (${name})`, {
      cause,
      hint: 'Check the AWS credentials of this process; `partloop doctor` tries them.',
    });
  }
  const detail = cause instanceof Error ? cause.message : String(cause);
  return new PartloopError('store-unavailable', `the store did not answer for ${key}: ${name}: ${detail}`, { cause });
}

/** Run one request, its fault told as ours. */
export async function translate<T>(key: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toPartloopError(key, error);
  }
}

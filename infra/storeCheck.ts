import { randomUUID } from 'node:crypto';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { PartloopError } from '../domain/errors.js';
import type { StackEnvironment } from './environment.js';

const PRECONDITION_FAILED = 412;

/**
 * Write, read and remove one object, and make sure that the store refuses a write whose condition fails: commits, locks
 * and the model registry rest on If-None-Match and If-Match, which not every S3 server keeps.
 */
export async function checkStoreWrites({
  uri,
  endpoint,
  region,
  credentials,
}: StackEnvironment['store']): Promise<void> {
  const { host: bucket, pathname } = new URL(uri);
  const client = new S3Client({
    region,
    maxAttempts: 2,
    requestHandler: { connectionTimeout: 3000, requestTimeout: 15_000, throwOnRequestTimeout: true },
    ...(endpoint === null ? {} : { endpoint, forcePathStyle: true }),
    ...(credentials === null ? {} : { credentials }),
  });
  const object = { Bucket: bucket, Key: `${pathname.slice(1)}/doctor/${randomUUID()}`.replace(/^\//, '') };
  try {
    await client.send(new PutObjectCommand({ ...object, Body: 'one', IfNoneMatch: '*' }));
    await mustRefuse('If-None-Match', () =>
      client.send(new PutObjectCommand({ ...object, Body: 'two', IfNoneMatch: '*' })),
    );
    await mustRefuse('If-Match', () => client.send(new PutObjectCommand({ ...object, Body: 'two', IfMatch: '"0"' })));
    const { Body } = await client.send(new GetObjectCommand(object));
    if ((await Body?.transformToString()) !== 'one') throw unfit(uri, 'an object does not read back as it was written');
    await client.send(new DeleteObjectCommand(object));
  } catch (cause) {
    if (cause instanceof PartloopError) throw cause;
    const reason = cause instanceof Error ? cause.message || cause.name : String(cause);
    throw new PartloopError('store-unavailable', `${uri} cannot be written: ${reason}`, {
      cause,
      hint: 'Check that the bucket exists and that the credentials may read, write, list and delete below that prefix.',
    });
  } finally {
    client.destroy();
  }

  async function mustRefuse(condition: string, write: () => Promise<unknown>): Promise<void> {
    try {
      await write();
    } catch (error) {
      if (error instanceof S3ServiceException && error.$metadata.httpStatusCode === PRECONDITION_FAILED) return;
      throw error;
    }
    await client.send(new DeleteObjectCommand(object));
    throw unfit(uri, `it ignores ${condition}`);
  }
}

function unfit(uri: string, why: string): PartloopError {
  return new PartloopError('setup-incomplete', `${uri} is not fit for partloop: ${why}`, {
    hint: 'Use an S3 server that keeps conditional writes (AWS S3, MinIO, SeaweedFS, Ceph from Tentacle on).',
  });
}

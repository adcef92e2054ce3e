import { randomInt, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import type { ObjectStore } from '../objectStore.js';
import { type Bucket, MAX_ATTEMPTS } from './bucket.js';
import { lengthIfEmpty } from './emptyBody.js';
import { mustBeEncrypted } from './encryption.js';
import { isMissing, statusOf, toPartloopError, translate } from './errors.js';
import { uploadFile } from './upload.js';

const CONFLICT_WAIT_MS = 100;

type Writing = Pick<ObjectStore, 'put' | 'putIfAbsent' | 'replace' | 'putFile'>;

/** The methods of a store that write objects. */
export function writing(bucket: Bucket): Writing {
  const { client, place, encryption } = bucket;
  return {
    async put(key, body, contentType) {
      const request = { ...place(key), ...encryption, Body: body, ...lengthIfEmpty(body), ContentType: contentType };
      const answer = await translate(key, () => client.send(new PutObjectCommand(request)));
      mustBeEncrypted(key, encryption, answer);
      return { etag: answer.ETag ?? '' };
    },
    async putIfAbsent(key, body, contentType) {
      return (await putIf(bucket, key, body, { IfNoneMatch: '*' }, contentType)) === 'conflict' ? 'exists' : 'created';
    },
    replace: (key, body, etag) => putIf(bucket, key, body, etag === null ? { IfNoneMatch: '*' } : { IfMatch: etag }),
    putFile: (key, path, contentType) =>
      translate(key, () => uploadFile(client, { ...place(key), ...encryption, ContentType: contentType }, path)),
  };
}

/**
 * One conditional PUT. The SDK retries a PUT whose answer was lost and then sees its own object as a conflict, so every
 * write carries a token in its metadata: on 412 it is read back, and our own token means success.
 */
async function putIf(
  bucket: Bucket,
  key: string,
  body: Uint8Array | string,
  condition: { IfNoneMatch: '*' } | { IfMatch: string },
  contentType?: string,
): Promise<{ etag: string } | 'conflict'> {
  const token = randomUUID();
  const { client, place, encryption } = bucket;
  const content = { Body: body, ...lengthIfEmpty(body), ContentType: contentType, Metadata: { token } };
  const request = { ...place(key), ...encryption, ...content, ...condition };
  for (let attempt = 1; ; attempt++) {
    try {
      const answer = await client.send(new PutObjectCommand(request));
      mustBeEncrypted(key, encryption, answer);
      return { etag: answer.ETag ?? '' };
    } catch (error) {
      const status = statusOf(error);
      // 409: another conditional write is in progress, and the winner is not known yet.
      if (status === 409 && attempt < MAX_ATTEMPTS) {
        await sleep(randomInt(CONFLICT_WAIT_MS * attempt));
        continue;
      }
      const fault = toPartloopError(key, error);
      // The version to replace is gone.
      if (fault.code === 'not-found') return 'conflict';
      if (status !== 412 && status !== 409) throw fault;
      return readBack(bucket, key, token);
    }
  }
}

async function readBack({ client, place }: Bucket, key: string, token: string): Promise<{ etag: string } | 'conflict'> {
  try {
    const { Metadata, ETag } = await translate(key, () => client.send(new HeadObjectCommand(place(key))));
    return Metadata?.token === token ? { etag: ETag ?? '' } : 'conflict';
  } catch (error) {
    if (isMissing(error)) return 'conflict';
    throw error;
  }
}

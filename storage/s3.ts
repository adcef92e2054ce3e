import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  DeleteObjectsCommand, GetObjectCommand, type GetObjectCommandOutput, HeadObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client, S3ServiceException,
} from '@aws-sdk/client-s3';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { PartloopError } from '../domain/errors.js';
import type { ObjectFacts, ObjectStore } from './objectStore.js';

// The SDK's notice about coming Node releases is for maintainers, who see it in its changelog, not for people at a terminal.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';

export interface StoreOptions {
  /** `s3://bucket/prefix`. */
  uri: string;
  region: string;
  /** Only for servers other than AWS. */
  endpoint?: string;
  /** Left out: the AWS SDK's own chain. */
  credentials?: { accessKeyId: string; secretAccessKey: string };
}

const MAX_ATTEMPTS = 8;
const DELETE_BATCH = 1_000;

/**
 * Objects of one bucket under one prefix. Without all three timeouts a stalled server hangs a call for ever, and a
 * timer-driven heartbeat hides it.
 */
export function openStore(options: StoreOptions): ObjectStore {
  const { bucket, prefix } = parseStoreUri(options.uri);
  const client = new S3Client({
    region: options.region,
    maxAttempts: MAX_ATTEMPTS,
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint, forcePathStyle: true }),
    ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: new NodeHttpHandler({ connectionTimeout: 5_000, requestTimeout: 60_000, throwOnRequestTimeout: true, socketTimeout: 60_000 }),
  });
  const place = (key: string) => ({ Bucket: bucket, Key: `${prefix}${key}` });

  const get = async (key: string): Promise<{ body: Uint8Array; etag: string }> => {
    const answer = await translate(key, () => client.send(new GetObjectCommand(place(key))));
    return { body: await bytesOf(key, answer), etag: answer.ETag ?? '' };
  };
  const head = async (key: string): Promise<ObjectFacts | null> => {
    try {
      const { ContentLength, ETag, VersionId } = await translate(key, () => client.send(new HeadObjectCommand(place(key))));
      return { key, size: ContentLength ?? 0, etag: ETag ?? '', versionId: VersionId ?? null };
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
  };
  const tryGet: ObjectStore['tryGet'] = async (key) => {
    try {
      return await get(key);
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
  };
  const put: ObjectStore['put'] = async (key, body, contentType) => {
    const { ETag } = await translate(key, () => client.send(new PutObjectCommand({ ...place(key), Body: body, ContentType: contentType })));
    return { etag: ETag ?? '' };
  };

  /**
   * One conditional PUT. The SDK retries a PUT whose answer was lost and then sees its own object as a conflict, so every
   * write carries a token in its metadata: on 412 it is read back, and our own token means that we won.
   */
  const putIf = async (key: string, body: Uint8Array | string, condition: { IfNoneMatch: '*' } | { IfMatch: string }, contentType?: string): Promise<{ etag: string } | 'conflict'> => {
    const token = randomUUID();
    for (let attempt = 1; ; attempt++) {
      try {
        const { ETag } = await client.send(new PutObjectCommand({ ...place(key), Body: body, ContentType: contentType, Metadata: { token }, ...condition }));
        return { etag: ETag ?? '' };
      } catch (error) {
        const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
        // 409: another conditional write is under way; the answer is not known yet.
        if (status === 409 && attempt < MAX_ATTEMPTS) continue;
        if (status !== 412 && status !== 404) throw toPartloopError(key, error);
        const there = await client.send(new HeadObjectCommand(place(key))).catch(() => null);
        return there?.Metadata?.token === token ? { etag: there.ETag ?? '' } : 'conflict';
      }
    }
  };

  return {
    uri: options.uri,
    get,
    tryGet,
    head,
    put,
    async getStream(key) {
      const { Body } = await translate(key, () => client.send(new GetObjectCommand(place(key))));
      if (!(Body instanceof Readable)) throw new PartloopError('store-unavailable', `${key}: the answer has no body`);
      return Body;
    },
    async putIfAbsent(key, body, contentType) {
      return (await putIf(key, body, { IfNoneMatch: '*' }, contentType)) === 'conflict' ? 'exists' : 'created';
    },
    replace: (key, body, etag) => putIf(key, body, etag === null ? { IfNoneMatch: '*' } : { IfMatch: etag }),
    async putFile(key, path, contentType) {
      const { size } = await stat(path);
      const { ETag } = await translate(key, () => client.send(new PutObjectCommand({ ...place(key), Body: createReadStream(path), ContentLength: size, ContentType: contentType })));
      return { etag: ETag ?? '' };
    },
    async getFile(key, path) {
      const { Body } = await translate(key, () => client.send(new GetObjectCommand(place(key))));
      if (!(Body instanceof Readable)) throw new PartloopError('store-unavailable', `${key}: the answer has no body`);
      await mkdir(dirname(path), { recursive: true });
      const partial = `${path}.${randomUUID()}.partial`;
      try {
        await pipeline(Body, createWriteStream(partial));
        await rename(partial, path);
      } catch (error) {
        await rm(partial, { force: true });
        throw toPartloopError(key, error);
      }
    },
    async *list(under) {
      let token: string | undefined;
      do {
        const page = await translate(under, () => client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: `${prefix}${under}`, ContinuationToken: token })));
        for (const { Key, Size, ETag } of page.Contents ?? []) {
          if (Key !== undefined) yield { key: Key.slice(prefix.length), size: Size ?? 0, etag: ETag ?? '', versionId: null };
        }
        token = page.NextContinuationToken;
      } while (token !== undefined);
    },
    async delete(keys) {
      for (let from = 0; from < keys.length; from += DELETE_BATCH) {
        const Objects = keys.slice(from, from + DELETE_BATCH).map((key) => ({ Key: `${prefix}${key}` }));
        await translate(keys[from] ?? '', () => client.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } })));
      }
    },
  };
}

async function bytesOf(key: string, answer: GetObjectCommandOutput): Promise<Uint8Array> {
  if (answer.Body === undefined) throw new PartloopError('store-unavailable', `${key}: the answer has no body`);
  try {
    return await answer.Body.transformToByteArray();
  } catch (error) {
    throw toPartloopError(key, error);
  }
}

async function translate<T>(key: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toPartloopError(key, error);
  }
}

const isMissing = (error: unknown): boolean => error instanceof PartloopError && error.code === 'not-found';

function toPartloopError(key: string, cause: unknown): PartloopError {
  const status = cause instanceof S3ServiceException ? cause.$metadata.httpStatusCode : undefined;
  const name = cause instanceof Error ? cause.name : 'Error';
  if (status === 404) return new PartloopError('not-found', `there is no object ${key} in the store`, { cause });
  if (status === 403) {
    return new PartloopError('setup-incomplete', `the store refuses access to ${key} (${name})`, { cause, hint: 'Check the AWS credentials of this process; `partloop doctor` tries them.' });
  }
  return new PartloopError('store-unavailable', `the store did not answer for ${key}: ${name}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
}

export function parseStoreUri(uri: string): { bucket: string; prefix: string } {
  const match = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/.exec(uri);
  if (match?.[1] === undefined) throw new PartloopError('config-invalid', `\`${uri}\` is not an S3 URI`, { hint: 'Write s3://bucket/prefix.' });
  const prefix = (match[2] ?? '').replace(/^\/+|\/+$/g, '');
  return { bucket: match[1], prefix: prefix === '' ? '' : `${prefix}/` };
}

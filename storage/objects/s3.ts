import { randomInt, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { PartloopError } from '../../domain/base/errors.js';
import type { FailedDelete, ObjectFacts, ObjectStore } from './objectStore.js';
import { isMissing, statusOf, toPartloopError, translate } from './s3Errors.js';
import { uploadFile } from './s3Upload.js';
import { verified } from './verified.js';

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
  /** How long one request may take, and a connection stay silent, before it is tried again. */
  timeoutMs?: number;
  /** How often a request is sent before its fault is told. */
  attempts?: number;
}

const MAX_ATTEMPTS = 8;
/** The SDK retries requests; bodies that break off while they are read are asked for again here. */
const BODY_ATTEMPTS = 3;
const DELETE_BATCH = 1_000;
const CONFLICT_WAIT_MS = 100;
const TIMEOUT_MS = 120_000;
/** Up to here a file that is fetched is held in memory whole. */
const WHOLE_FILE_BYTES = 8 * 2 ** 20;

/** Objects of one bucket under one prefix; what steps wrote is checked as it is read (`storage/objects/verified.ts`). */
export const openStore = (options: StoreOptions): ObjectStore => verified(openObjects(options));

/**
 * The same unchecked. Without all three timeouts a stalled server hangs a call for ever, and a
 * timer-driven heartbeat hides it.
 */
function openObjects(options: StoreOptions): ObjectStore {
  const { bucket, prefix } = parseStoreUri(options.uri);
  const timeout = options.timeoutMs ?? TIMEOUT_MS;
  const client = new S3Client({
    region: options.region,
    maxAttempts: options.attempts ?? MAX_ATTEMPTS,
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint, forcePathStyle: true }),
    ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: new NodeHttpHandler({
      connectionTimeout: Math.min(5_000, timeout),
      requestTimeout: timeout,
      throwOnRequestTimeout: true,
      socketTimeout: timeout,
    }),
  });
  const place = (key: string): { Bucket: string; Key: string } => {
    const elsewhere = OBJECT_URI.exec(key);
    if (elsewhere?.[1] !== undefined && elsewhere[2] !== undefined) return { Bucket: elsewhere[1], Key: elsewhere[2] };
    return { Bucket: bucket, Key: `${prefix}${key}` };
  };

  const open = async (key: string, etag?: string): Promise<{ body: Readable; etag: string; size: number | null }> => {
    const condition = etag === undefined ? {} : { IfMatch: etag };
    const { Body, ETag, ContentLength } = await translate(key, () =>
      client.send(new GetObjectCommand({ ...place(key), ...condition })),
    );
    if (!(Body instanceof Readable)) throw new PartloopError('store-unavailable', `${key}: the answer has no body`);
    return { body: Body, etag: ETag ?? '', size: ContentLength ?? null };
  };

  /** Ask again where a body breaks off half-way; what the first answer says of the object (gone, changed) stands. */
  const consume = async <T>(
    key: string,
    etag: string | undefined,
    work: (body: Readable, etag: string, size: number | null) => Promise<T>,
  ): Promise<T> => {
    for (let attempt = 1; ; attempt++) {
      const opened = await open(key, etag);
      try {
        return await work(opened.body, opened.etag, opened.size);
      } catch (error) {
        opened.body.destroy();
        if (attempt === BODY_ATTEMPTS) throw toPartloopError(key, error);
      }
    }
  };

  const get: ObjectStore['get'] = (key, ifMatch) =>
    consume(key, ifMatch, async (body, etag) => ({ body: Buffer.concat(await body.toArray()), etag }));

  const head = async (key: string): Promise<ObjectFacts | null> => {
    try {
      const answer = await translate(key, () => client.send(new HeadObjectCommand(place(key))));
      const { ContentLength, ETag, VersionId } = answer;
      return { key, size: ContentLength ?? 0, etag: ETag ?? '', versionId: VersionId ?? null };
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
  };

  /**
   * One conditional PUT. The SDK retries a PUT whose answer was lost and then sees its own object as a conflict, so every
   * write carries a token in its metadata: on 412 it is read back, and our own token means that we won.
   */
  const putIf = async (
    key: string,
    body: Uint8Array | string,
    condition: { IfNoneMatch: '*' } | { IfMatch: string },
    contentType?: string,
  ): Promise<{ etag: string } | 'conflict'> => {
    const token = randomUUID();
    const request = { ...place(key), Body: body, ContentType: contentType, Metadata: { token }, ...condition };
    for (let attempt = 1; ; attempt++) {
      try {
        const { ETag } = await client.send(new PutObjectCommand(request));
        return { etag: ETag ?? '' };
      } catch (error) {
        const status = statusOf(error);
        // 409: another conditional write is under way; who wins is not known yet.
        if (status === 409 && attempt < MAX_ATTEMPTS) {
          await sleep(randomInt(CONFLICT_WAIT_MS * attempt));
          continue;
        }
        const fault = toPartloopError(key, error);
        // The version to replace is gone.
        if (fault.code === 'not-found') return 'conflict';
        if (status !== 412 && status !== 409) throw fault;
        return readBack(key, token);
      }
    }
  };

  const readBack = async (key: string, token: string): Promise<{ etag: string } | 'conflict'> => {
    try {
      const { Metadata, ETag } = await translate(key, () => client.send(new HeadObjectCommand(place(key))));
      return Metadata?.token === token ? { etag: ETag ?? '' } : 'conflict';
    } catch (error) {
      if (isMissing(error)) return 'conflict';
      throw error;
    }
  };

  const tryDelete: ObjectStore['tryDelete'] = async (keys) => {
    const failures: FailedDelete[] = [];
    for (let from = 0; from < keys.length; from += DELETE_BATCH) {
      const batch = keys.slice(from, from + DELETE_BATCH);
      const Delete = { Objects: batch.map((key) => ({ Key: `${prefix}${key}` })), Quiet: true };
      const request = new DeleteObjectsCommand({ Bucket: bucket, Delete });
      const { Errors } = await translate(batch[0] ?? '', () => client.send(request));
      for (const { Key = '', Code, Message } of Errors ?? []) {
        if (Code === 'NoSuchKey') continue;
        failures.push({ key: Key.slice(prefix.length), reason: [Code, Message].filter(Boolean).join(' ') });
      }
    }
    return failures;
  };

  return {
    uri: options.uri,
    get,
    head,
    async tryGet(key) {
      try {
        return await get(key);
      } catch (error) {
        if (isMissing(error)) return null;
        throw error;
      }
    },
    async getStream(key) {
      return (await open(key)).body;
    },
    async put(key, body, contentType) {
      const request = { ...place(key), Body: body, ContentType: contentType };
      const { ETag } = await translate(key, () => client.send(new PutObjectCommand(request)));
      return { etag: ETag ?? '' };
    },
    async putIfAbsent(key, body, contentType) {
      return (await putIf(key, body, { IfNoneMatch: '*' }, contentType)) === 'conflict' ? 'exists' : 'created';
    },
    replace: (key, body, etag) => putIf(key, body, etag === null ? { IfNoneMatch: '*' } : { IfMatch: etag }),
    putFile: (key, path, contentType) =>
      translate(key, () => uploadFile(client, { ...place(key), ContentType: contentType }, path)),
    async getFile(key, path) {
      const partial = `${path}.${randomUUID()}.partial`;
      try {
        await consume(key, undefined, async (body, _, size) => {
          // A small file in one piece: a stream's opening, chunks and closing are each a wait for the disk's threads.
          if (size !== null && size <= WHOLE_FILE_BYTES) return writeNew(partial, Buffer.concat(await body.toArray()));
          await mkdir(dirname(path), { recursive: true });
          return pipeline(body, createWriteStream(partial));
        });
        await rename(partial, path);
      } catch (error) {
        await rm(partial, { force: true });
        throw error;
      }
    },
    async *list(under) {
      const { Bucket, Key: Prefix } = place(under);
      const own = Prefix.length - under.length;
      const nameOf = (key: string): string => (under.startsWith('s3://') ? `s3://${Bucket}/${key}` : key.slice(own));
      let token: string | undefined;
      do {
        const request = { Bucket, Prefix, ContinuationToken: token };
        const page = await translate(under, () => client.send(new ListObjectsV2Command(request)));
        for (const { Key, Size, ETag } of page.Contents ?? []) {
          if (Key !== undefined) yield { key: nameOf(Key), size: Size ?? 0, etag: ETag ?? '', versionId: null };
        }
        token = page.NextContinuationToken;
      } while (token !== undefined);
    },
    async *folders(under) {
      const { Bucket, Key: Prefix } = place(under);
      let token: string | undefined;
      do {
        const request = { Bucket, Prefix, Delimiter: '/', ContinuationToken: token };
        const page = await translate(under, () => client.send(new ListObjectsV2Command(request)));
        for (const { Prefix: folder } of page.CommonPrefixes ?? [])
          if (folder !== undefined) yield folder.slice(Prefix.length, -1);
        token = page.NextContinuationToken;
      } while (token !== undefined);
    },
    async delete(keys) {
      const [failed] = await tryDelete(keys);
      if (failed !== undefined)
        throw new PartloopError('store-unavailable', `${failed.key} was not removed: ${failed.reason}`);
    },
    tryDelete,
  };
}

/** Write a file whose folder is made where it is missing, which is asked after the fact: of thousands of files few need it. */
async function writeNew(path: string, bytes: Uint8Array): Promise<void> {
  try {
    await writeFile(path, bytes);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, bytes);
  }
}

const OBJECT_URI = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\/(.+)$/s;

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

import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { GetObjectCommand, HeadObjectCommand } from '@aws-sdk/client-s3';
import { PartloopError } from '../../../domain/base/errors.js';
import type { ObjectStore } from '../objectStore.js';
import type { Bucket } from './bucket.js';
import { isMissing, toPartloopError, translate } from './errors.js';

/** The SDK retries requests; bodies that break off during a read are requested again here. */
const BODY_ATTEMPTS = 3;
/** Up to this size a fetched file is held in memory as a whole. */
const WHOLE_FILE_BYTES = 8 * 2 ** 20;

type Reading = Pick<ObjectStore, 'get' | 'tryGet' | 'getStream' | 'getFile' | 'head'>;

interface Opened {
  body: Readable;
  etag: string;
  /** null if the server does not tell. */
  size: number | null;
}

/** The methods of a store that read objects. */
export function reading(bucket: Bucket): Reading {
  const get: ObjectStore['get'] = (key, ifMatch) =>
    consume(bucket, key, ifMatch, async ({ body, etag }) => ({ body: Buffer.concat(await body.toArray()), etag }));

  return {
    get,
    async tryGet(key) {
      try {
        return await get(key);
      } catch (error) {
        if (isMissing(error)) return null;
        throw error;
      }
    },
    async getStream(key) {
      return (await open(bucket, key)).body;
    },
    getFile: (key, path, ifMatch) => getFile(bucket, key, path, ifMatch),
    async head(key) {
      try {
        const request = new HeadObjectCommand(bucket.place(key));
        const { ContentLength, ETag, VersionId, LastModified } = await translate(key, () =>
          bucket.client.send(request),
        );
        return {
          ...{ key, size: ContentLength ?? 0, etag: ETag ?? '', versionId: VersionId ?? null },
          modifiedAt: writtenAt(LastModified),
        };
      } catch (error) {
        if (isMissing(error)) return null;
        throw error;
      }
    },
  };
}

/** An object whose age the server does not tell counts as new: whoever deletes old ones leaves it. */
export const writtenAt = (modified: Date | undefined): Date => modified ?? new Date();

async function open({ client, place }: Bucket, key: string, ifMatch?: string): Promise<Opened> {
  const condition = ifMatch === undefined ? {} : { IfMatch: ifMatch };
  const { Body, ETag, ContentLength } = await translate(key, () =>
    client.send(new GetObjectCommand({ ...place(key), ...condition })),
  );
  if (!(Body instanceof Readable)) throw new PartloopError('store-unavailable', `${key}: the answer has no body`);
  return { body: Body, etag: ETag ?? '', size: ContentLength ?? null };
}

/** Ask again if a body breaks off half-way; the first answer about the object (gone, changed) counts. */
async function consume<T>(
  bucket: Bucket,
  key: string,
  ifMatch: string | undefined,
  work: (opened: Opened) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const opened = await open(bucket, key, ifMatch);
    try {
      return await work(opened);
    } catch (error) {
      opened.body.destroy();
      if (attempt === BODY_ATTEMPTS) throw toPartloopError(key, error);
    }
  }
}

async function getFile(bucket: Bucket, key: string, path: string, ifMatch?: string): Promise<void> {
  const partial = `${path}.${randomUUID()}.partial`;
  try {
    await consume(bucket, key, ifMatch, async ({ body, size }) => {
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
}

/**
 * Write a file and make its folder if it is missing. That is checked only after a failure, since few of thousands of
 * files need it.
 */
async function writeNew(path: string, bytes: Uint8Array): Promise<void> {
  try {
    await writeFile(path, bytes);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, bytes);
  }
}

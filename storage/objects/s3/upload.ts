import { open } from 'node:fs/promises';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { lengthIfEmpty } from './emptyBody.js';
import { type EncryptionFields, mustBeEncrypted } from './encryption.js';

/** Up to this size a file is one PUT, which exists completely or not at all. */
const SINGLE_PUT_BYTES = 64 * 2 ** 20;
/** S3 takes 10,000 parts: enough for 312 GiB. */
const PART_BYTES = 32 * 2 ** 20;

export interface UploadPlace extends EncryptionFields {
  Bucket: string;
  Key: string;
  ContentType: string | undefined;
}

/**
 * Upload a local file with at most one part of it in memory. Parts are buffers and not streams, since a partly read
 * stream cannot be sent again. A failed multipart upload is aborted, so that its parts cost nothing. Not for
 * conditional writes: two multipart uploads with the same condition can both win.
 */
export async function uploadFile(client: S3Client, place: UploadPlace, path: string): Promise<{ etag: string }> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const read = async (from: number, length: number): Promise<Buffer> => {
      const buffer = Buffer.allocUnsafe(length);
      let filled = 0;
      while (filled < length) {
        const { bytesRead } = await file.read(buffer, filled, length - filled, from + filled);
        if (bytesRead === 0) throw new Error(`${path} became shorter while it was uploaded`);
        filled += bytesRead;
      }
      return buffer;
    };
    if (size <= SINGLE_PUT_BYTES) {
      const Body = await read(0, size);
      const answer = await client.send(new PutObjectCommand({ ...place, Body, ...lengthIfEmpty(Body) }));
      mustBeEncrypted(place.Key, place, answer);
      return { etag: answer.ETag ?? '' };
    }
    return await uploadParts(client, place, size, read);
  } finally {
    await file.close();
  }
}

async function uploadParts(
  client: S3Client,
  place: UploadPlace,
  size: number,
  read: (from: number, length: number) => Promise<Buffer>,
): Promise<{ etag: string }> {
  const { Bucket, Key } = place;
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(place));
  try {
    const Parts: { PartNumber: number; ETag: string | undefined }[] = [];
    for (let from = 0; from < size; from += PART_BYTES) {
      const PartNumber = Parts.length + 1;
      const Body = await read(from, Math.min(PART_BYTES, size - from));
      const { ETag } = await client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }));
      Parts.push({ PartNumber, ETag });
    }
    const { ETag } = await client.send(
      new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }),
    );
    return { etag: ETag ?? '' };
  } catch (error) {
    await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId })).catch(() => undefined);
    throw error;
  }
}

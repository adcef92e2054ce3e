import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { PartloopError } from '../domain/base/errors.js';
import { sha256Schema } from '../domain/base/ids.js';
import { isRecord } from '../domain/base/isRecord.js';
import { digestOf } from './digest.js';
import { parseJson } from './tables/json.js';

/** The digest of an object at the time of its writing. */
export const fileDigestSchema = z.object({ sha256: sha256Schema, size: z.number().int().nonnegative() });
export type FileDigest = z.infer<typeof fileDigestSchema>;

/** The digests of the files of a folder, by their names in it. */
export const fileDigestsSchema = z.record(z.string(), fileDigestSchema);
export type FileDigests = z.infer<typeof fileDigestsSchema>;

/** A value as JSON with its own digest, so that no bit of it changes unnoticed. */
export function sealed(value: Readonly<Record<string, unknown>>): string {
  const plain: unknown = JSON.parse(JSON.stringify(value));
  return JSON.stringify({ ...(isRecord(plain) ? plain : {}), sha256: digestOf(plain) }, null, 1);
}

/**
 * Read the output of `sealed`. Older objects have no seal, and `isSealed` tells which must have one: otherwise a
 * flipped bit in the seal's name would remove it.
 *
 * @throws PartloopError `data-invalid` naming the key
 */
export function openSealed<T>(
  body: Uint8Array,
  key: string,
  schema: z.ZodType<T>,
  { isSealed, hint }: { isSealed(value: Readonly<Record<string, unknown>>): boolean; hint?: string },
): T {
  const options = hint === undefined ? {} : { hint };
  const value = parseJson(body, key, z.record(z.string(), z.unknown()), options);
  const { sha256, ...rest } = value;
  if (sha256 !== undefined || isSealed(value)) {
    const got = digestOf(rest);
    if (sha256 !== got)
      throw new PartloopError(
        'data-invalid',
        `${key} is damaged: its content has the digest ${got}, but it records ${String(sha256)}`,
        options,
      );
  }
  return parseJson(body, key, schema, options);
}

export function digestOfBytes(body: Uint8Array | string): FileDigest {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  return { sha256: createHash('sha256').update(bytes).digest('hex'), size: bytes.byteLength };
}

/** The same of a local file, streamed. */
export async function digestOfFile(path: string): Promise<FileDigest> {
  const hash = createHash('sha256');
  const file = createReadStream(path);
  await pipeline(file, hash);
  return { sha256: hash.digest('hex'), size: file.bytesRead };
}

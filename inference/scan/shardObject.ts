import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { z } from 'zod';
import { PartloopError } from '../../domain/base/errors.js';
import { parseText } from '../../domain/base/jsonText.js';
import { ANALYSIS_VERSION, type ImageAnalysis } from '../../domain/scan/index.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';

/** The result of a shard. The analyses are our own output: `version` guarantees their shape, fields are not checked. */
const shardSchema = z.object({
  version: z.literal(1),
  /** Digest of the entries' digests, in order. */
  sha256: z.string().optional(),
  entries: z.array(
    z.object({
      imageId: z.string(),
      analysis: z
        .custom<ImageAnalysis>(
          (value) =>
            value === null ||
            z
              .object({ version: z.literal(ANALYSIS_VERSION) })
              .loose()
              .safeParse(value).success,
        )
        .nullable(),
      error: z.string().nullable(),
      model: z.string(),
    }),
  ),
});
export type ShardEntry = z.infer<typeof shardSchema>['entries'][number];

/** A shard of another version of the analysis is another object: the shard is judged again, not found done. */
export const shardKey = (planKey: string, shard: number, modelDigest: string): string =>
  `${planKey.slice(0, planKey.lastIndexOf('/'))}/shards/v${ANALYSIS_VERSION}-${modelDigest.slice(0, 16)}/${shard}.json.gz`;

/**
 * Collects the entries of a shard and packs them as they come, so that a long shard takes hardly more memory than a
 * short one. Every entry is a gzip member, and members in a row are one gzip file (RFC 1952). The file ends with the
 * digest of its entries.
 */
export class ShardWriter {
  private readonly members: Buffer[] = [];
  private readonly digests: Buffer[] = [];

  /** Number of entries. */
  count = 0;

  /** `index` is the place of the entry in the shard. */
  add(entry: ShardEntry, index: number): void {
    const text = JSON.stringify(entry);
    this.members[index] = gzipSync(`${index === 0 ? '' : ','}${text}`);
    this.digests[index] = sha256(text);
    this.count++;
  }

  async write(store: ObjectStore, key: string): Promise<void> {
    const end = `],"sha256":"${sha256(Buffer.concat(this.digests)).toString('hex')}"}`;
    const whole = [gzipSync('{"version":1,"entries":['), ...this.members, gzipSync(end)];
    await store.put(key, Buffer.concat(whole), 'application/gzip');
  }
}

const AGAIN = 'Retry the iteration, or resume the scan: this shard is judged again, those that are whole are not.';

/**
 * Read a judged shard.
 *
 * @throws PartloopError `data-invalid` naming one that is missing, damaged, or of another version
 */
export async function readShard(store: ObjectStore, key: string): Promise<ShardEntry[]> {
  const object = await store.tryGet(key);
  if (object === null) {
    throw new PartloopError(
      'data-invalid',
      `the shard ${key} is missing: it was judged by another version, or deleted`,
      { hint: AGAIN },
    );
  }
  const value = parseText(unpacked(object.body, key), key, { hint: AGAIN });
  const parsed = shardSchema.safeParse(value);
  if (!parsed.success)
    throw new PartloopError('data-invalid', `${key} is not a shard of this version: ${z.prettifyError(parsed.error)}`, {
      hint: AGAIN,
    });
  const { sha256: wanted, entries } = parsed.data;
  // Older shards have no digest; gzip's checksum finds flipped bits.
  if (wanted === undefined) return entries;
  const got = sha256(Buffer.concat(entries.map((entry) => sha256(JSON.stringify(entry))))).toString('hex');
  if (got === wanted) return entries;
  throw new PartloopError(
    'data-invalid',
    `the shard ${key} is damaged: its entries have the digest ${got}, not ${wanted}`,
    {
      hint: AGAIN,
    },
  );
}

/** Whether a shard exists undamaged; a damaged one counts as absent, and `onUnreadable` is called. */
export async function isShardWhole(
  store: ObjectStore,
  key: string,
  onUnreadable: (error: PartloopError) => void,
): Promise<boolean> {
  if ((await store.head(key)) === null) return false;
  try {
    await readShard(store, key);
    return true;
  } catch (error) {
    if (!(error instanceof PartloopError) || error.code !== 'data-invalid') throw error;
    onUnreadable(error);
    return false;
  }
}

function unpacked(body: Uint8Array, key: string): string {
  try {
    return gunzipSync(body).toString();
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new PartloopError('data-invalid', `the shard ${key} is damaged (${body.byteLength} bytes): ${detail}`, {
      hint: AGAIN,
      cause,
    });
  }
}

const sha256 = (content: string | Uint8Array): Buffer => createHash('sha256').update(content).digest();

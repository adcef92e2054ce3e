import { gunzipSync, gzipSync } from 'node:zlib';
import { z } from 'zod';
import { PartloopError } from '../domain/errors.js';
import { ANALYSIS_VERSION, type ImageAnalysis } from '../domain/mislabel/index.js';
import type { ObjectStore } from '../storage/objectStore.js';

/** What a shard leaves. The analyses are our own output: their shape is held by `version`, not checked field by field. */
const shardSchema = z.object({
  version: z.literal(1),
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

/** A shard of another version of the analysis is another object: it is judged again, not found done. */
export const shardKey = (planKey: string, shard: number, modelDigest: string): string =>
  `${planKey.slice(0, planKey.lastIndexOf('/'))}/shards/v${ANALYSIS_VERSION}-${modelDigest.slice(0, 16)}/${shard}.json.gz`;

/**
 * Collects what a shard leaves, packed as it comes, so that a long shard takes hardly more memory than a short one: every entry is a
 * gzip member of its own, and members in a row are one gzip file (RFC 1952).
 */
export class ShardWriter {
  private readonly members: Buffer[] = [];

  /** How many entries there are. */
  count = 0;

  /** `index` is the place of the entry in the shard. */
  add(entry: ShardEntry, index: number): void {
    this.members[index] = gzipSync(`${index === 0 ? '' : ','}${JSON.stringify(entry)}`);
    this.count++;
  }

  async write(store: ObjectStore, key: string): Promise<void> {
    const whole = [gzipSync('{"version":1,"entries":['), ...this.members, gzipSync(']}')];
    await store.put(key, Buffer.concat(whole), 'application/gzip');
  }
}

/** Read a shard that was judged; one that is missing or malformed is an error that names it. */
export async function readShard(store: ObjectStore, key: string): Promise<ShardEntry[]> {
  if ((await store.head(key)) === null) {
    throw new PartloopError(
      'data-invalid',
      `the shard ${key} is missing: it was judged by another version, or deleted`,
      {
        hint: 'Replay the iteration from its scan; shards that are there are not judged again.',
      },
    );
  }
  const parsed = shardSchema.safeParse(JSON.parse(gunzipSync((await store.get(key)).body).toString()));
  if (parsed.success) return parsed.data.entries;
  throw new PartloopError('data-invalid', `${key} is not a shard of this version: ${z.prettifyError(parsed.error)}`);
}

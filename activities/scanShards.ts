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

export async function writeShard(store: ObjectStore, key: string, entries: readonly ShardEntry[]): Promise<void> {
  await store.put(key, gzipSync(JSON.stringify({ version: 1, entries })), 'application/gzip');
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

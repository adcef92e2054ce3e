import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { NO_JUDGE, SHARD_FAILED } from '../../domain/scan/counts.js';
import type { ImageAnalysis, ReduceEntry } from '../../domain/scan/index.js';
import type { ScanPlan } from '../../domain/scan/judge/plan.js';
import type { ChunkRow } from '../../domain/tables.js';
import { tagsSchema } from '../../domain/tags.js';
import type { ModelCard } from '../../domain/train/modelCard.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { readShard, type ShardEntry, shardKey } from './shardObject.js';

/** A scan with judged shards. */
export interface JudgedScan {
  plan: ScanPlan;
  planKey: string;
  /** In the order of the plan's judges. */
  judges: readonly { card: ModelCard }[];
  /** Numbers of the shards without a result. */
  failedShards: readonly number[];
}

/**
 * The entries of a chunk in the chunk's order, whatever the order of the shards; an image that was not judged has the
 * reason. `onProgress` counts shards.
 *
 * @throws PartloopError `data-invalid` naming a shard that is missing or damaged
 */
export async function readEntries(
  store: ObjectStore,
  scan: JudgedScan,
  chunk: readonly ChunkRow[],
  onProgress: (done: number, total: number) => void,
): Promise<ReduceEntry[]> {
  const found = await readShards(store, scan, onProgress);
  const unjudged = new Set(scan.plan.unjudged);
  return chunk.map((row) => {
    const entry = found.get(row.imageId);
    const common = {
      imageId: row.imageId,
      fileName: row.fileName,
      labelSha256: row.labelSha256,
      tags: tagsSchema.parse(row),
      cluster: row.cluster,
    };
    if (entry !== undefined) return { ...common, analysis: entry.analysis, error: entry.error, model: entry.model };
    const error = unjudged.has(row.imageId) ? NO_JUDGE : SHARD_FAILED;
    return { ...common, analysis: null, error, model: 'none', unjudged: true };
  });
}

async function readShards(
  store: ObjectStore,
  { plan, planKey, judges, failedShards }: JudgedScan,
  onProgress: (done: number, total: number) => void,
): Promise<Map<string, ShardEntry>> {
  const found = new Map<string, ShardEntry>();
  for (const [index, { shard, judge }] of plan.shards.entries()) {
    onProgress(index, plan.shards.length);
    if (failedShards.includes(shard)) continue;
    const key = shardKey(planKey, shard, judges[judge]?.card.files.scan ?? '');
    for (const entry of await readShard(store, key))
      found.set(entry.imageId, { ...entry, analysis: lean(entry.analysis) });
  }
  return found;
}

/** The same analysis with its copies packed: they are most of it, and the reduce goes through them once. */
function lean(analysis: ImageAnalysis | null): ImageAnalysis | null {
  if (analysis === null || analysis.injected.length === 0) return analysis;
  // Copied, since what zlib gives lies at the start of a buffer ten times as large.
  const packed = Buffer.from(deflateRawSync(JSON.stringify(analysis.injected), { level: 1 }));
  return {
    ...analysis,
    get injected() {
      const copies: ImageAnalysis['injected'] = JSON.parse(inflateRawSync(packed).toString());
      return copies;
    },
  };
}

import type { IterationContext } from '../../domain/steps.js';
import type { ChunkRow } from '../../domain/tables.js';
import type { ActivityDeps } from '../../steps/deps.js';
import type { Heartbeat } from '../../steps/heartbeat.js';
import type { ThreadSetup } from '../sessions/scanMessages.js';
import type { ScannedImage } from '../sessions/scanPipeline.js';
import type { InHand } from './inHand.js';
import type { ShardWriter } from './shardObject.js';

/** One attempt at a shard, and its progress. */
export interface ShardJob {
  deps: ActivityDeps;
  context: IterationContext;
  setup: ThreadSetup;
  stallMs: number;
  rows: readonly ChunkRow[];
  beat: Heartbeat;
  /** sha256 of the model's file. */
  modelDigest: string;
  injectShare: number;
  hand: InHand;
  writer: ShardWriter;
  /** Places of the images that are judged or left out. */
  settled: Set<number>;
  /** The model's unusable answers, per image. */
  unusable: string[];
}

/** Keep the result for the image at `index`. */
export function settle(job: ShardJob, { row, analysis, error, unusable }: ScannedImage, index: number): void {
  job.writer.add({ imageId: row.imageId, analysis, error, model: job.modelDigest }, index);
  job.settled.add(index);
  if (unusable && error !== null) job.unusable.push(error);
  job.beat.report({ phase: 'judging', done: job.writer.count, total: job.rows.length, unit: 'images' });
}

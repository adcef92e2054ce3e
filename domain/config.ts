import { z } from 'zod';
import { nameSchema } from './base/ids.js';
import { gateConfigSchema } from './decide/config.js';
import { sampleConfigSchema } from './sample/config.js';
import { type ScanConfig, scanConfigSchema } from './scan/config.js';
import { trackingConfigSchema } from './tracking/config.js';
import { type TrainConfig, trainConfigSchema } from './train/config.js';
import { tuneConfigSchema } from './tune/config.js';

export { type GateConfig, gateConfigSchema } from './decide/config.js';
export { MINOR_WEIGHT, type SampleConfig, sampleConfigSchema } from './sample/config.js';
export { type ScanConfig, scanConfigSchema } from './scan/config.js';
export { type TrainConfig, trainConfigSchema, trainerPresetSchema } from './train/config.js';
export type { TuneConfig } from './tune/config.js';

/** Time after which silent work counts as lost. */
export const durabilityConfigSchema = z.strictObject({
  trainHeartbeatSeconds: z
    .number()
    .int()
    .min(2)
    .max(3_600)
    .default(600)
    .describe('Seconds of silence after which a training attempt counts as lost'),
  scanHeartbeatSeconds: z
    .number()
    .int()
    .min(2)
    .max(3_600)
    .default(120)
    .describe('Seconds of silence after which any other activity counts as lost'),
  inferenceStallSeconds: z
    .number()
    .int()
    .min(1)
    .max(86_400)
    .default(300)
    .describe(
      'Seconds, or 20 times those of the slowest picture so far if that is more, after which a picture counts as hung; its worker then starts again',
    ),
});
export type DurabilityConfig = z.infer<typeof durabilityConfigSchema>;

/** When iterations begin that nobody asked for just now. */
export const policyConfigSchema = z.strictObject({
  newImages: z
    .number()
    .int()
    .min(1)
    .max(1_000_000)
    .default(1)
    .describe('An iteration after the first one of a request begins once the pool has this many images to draw'),
  begin: z
    .enum(['asked', 'by-itself'])
    .default('asked')
    .describe('asked: as many iterations as were asked for; by-itself: one more whenever that many images are there'),
});
export type PolicyConfig = z.infer<typeof policyConfigSchema>;

/**
 * The one declaration of every setting of a loop: types, validation, JSON Schema, command line help and
 * `docs/config.md` come from it; the settings of a step are in `domain/<step>/config.ts`. A field without a value here
 * takes the pool's default (`poolDefaults`).
 */
export const loopConfigSchema = z.strictObject({
  pool: nameSchema.describe('The pool to draw from'),
  chunkSize: z.number().int().min(1).max(1_000_000).default(50_000).describe('New images per iteration'),
  seed: z
    .number()
    .int()
    .min(0)
    .max(2 ** 31 - 1)
    .default(1)
    .describe('Seed of every random choice'),
  evaluationSize: z
    .number()
    .int()
    .min(64)
    .max(4_096)
    .default(512)
    .describe('Longest side in pixels of the grid that evaluation counts on'),
  badImageShare: z
    .number()
    .min(0)
    .max(1)
    .default(0.01)
    .describe(
      'Share of the drawn, training, validation or test images that may be left out as gone, changed or unreadable; at least three, or a quarter of fewer than 12; 0: none',
    ),
  train: trainConfigSchema.prefault({}),
  scan: scanConfigSchema.prefault({}),
  sample: sampleConfigSchema.prefault({}),
  gate: gateConfigSchema.prefault({}),
  tune: tuneConfigSchema.prefault({}),
  baselineImages: z
    .number()
    .int()
    .min(1)
    .max(1_000_000)
    .nullable()
    .default(null)
    .describe(
      'If there is no benchmark, train one on this many random images of the pool after the first scan; null: the first candidate becomes the benchmark',
    ),
  policy: policyConfigSchema.prefault({}),
  durability: durabilityConfigSchema.prefault({}),
  tracking: trackingConfigSchema.prefault({}),
});
export type LoopConfig = z.infer<typeof loopConfigSchema>;

/** Numbers that fit a pool of `images` training images, so that a laptop's 400 photos do not mean 60k iterations. */
export function poolDefaults(images: number): {
  chunkSize: number;
  train: Partial<TrainConfig>;
  scan: Partial<ScanConfig>;
} {
  if (images >= 100_000)
    return {
      chunkSize: 50_000,
      train: { preset: 'swin_tiny', iterations: 60_000, batchSize: 16, imageSize: 512, weights: 'hub' },
      scan: {},
    };
  if (images >= 5_000)
    return {
      chunkSize: Math.ceil(images / 5),
      train: { iterations: 10_000, batchSize: 16, imageSize: 512, cycles: 2 },
      scan: {},
    };
  return {
    chunkSize: Math.max(1, Math.ceil(images / 3)),
    train: { iterations: 400, batchSize: 12, imageSize: 256, checkpointEvery: 50 },
    scan: { shardSize: 32, auditSample: Math.min(50, Math.ceil(images / 20)) },
  };
}

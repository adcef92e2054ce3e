import { z } from 'zod';
import { nameSchema } from './base/ids.js';
import { tuneSpaceSchema } from './tune/space.js';

/**
 * The one declaration of every setting of a loop: types, validation, JSON Schema, command line help and
 * `docs/config.md` come from it. A field without a value here takes the pool's default (`poolDefaults`).
 */
export const trainerPresetSchema = z.string().regex(/^[a-z0-9_.]{1,64}$/, 'use 1–64 of a–z, 0–9, _ and .');

export const trainConfigSchema = z
  .strictObject({
    preset: trainerPresetSchema
      .default('efficientnet_lite0')
      .describe('Backbone: efficientnet_lite0 (CPU), swin_tiny, swin_large, or a timm name'),
    neck: z
      .enum(['auto', 'fpn', 'upernet'])
      .default('auto')
      .describe("What makes one map of the backbone's four; auto: upernet for Swin, fpn otherwise"),
    stages: z
      .number()
      .int()
      .min(0)
      .max(6)
      .nullable()
      .default(null)
      .describe('Kernel update stages of K-Net; null: 3 for Swin, 2 otherwise'),
    freezeNorm: z
      .boolean()
      .default(false)
      .describe("Keep the backbone's batch norm statistics as pretrained; for very small batches"),
    weights: z
      .string()
      .max(1_024)
      .default('package')
      .describe('Backbone weights: `package`, `hub`, a file, or an s3:// URI'),
    warmStart: z
      .boolean()
      .default(false)
      .describe("Start from the weights of the loop's previous iteration instead of the backbone's pretraining"),
    iterations: z
      .number()
      .int()
      .min(1)
      .max(10_000_000)
      .default(60_000)
      .describe('Training iterations (optimizer steps)'),
    batchSize: z.number().int().min(1).max(4_096).default(16).describe('Images an iteration'),
    imageSize: z
      .number()
      .int()
      .min(32)
      .max(2_048)
      .multipleOf(32)
      .default(512)
      .describe('Longest side in pixels that the network sees'),
    imageSizes: z
      .array(z.number().int().min(32).max(2_048).multipleOf(32))
      .max(16)
      .default([])
      .describe('Sizes of equal parts of the training in order; empty: `imageSize` throughout'),
    lrHead: z.number().positive().max(1).default(2e-3).describe('Peak learning rate of the decode head'),
    lrBackbone: z.number().positive().max(1).default(5e-4).describe('Peak learning rate of the backbone'),
    optimizer: z.enum(['adamw', 'adam']).default('adamw').describe('Optimizer'),
    schedule: z.enum(['cyclic', 'poly', 'fixed']).default('cyclic').describe('Learning rate schedule'),
    cycles: z.number().int().min(1).max(1_000).default(1).describe('Whole cycles of the cyclic schedule'),
    cycleMode: z
      .enum(['triangular', 'triangular2', 'exp_range'])
      .default('triangular')
      .describe('Shape of the cycles (Smith 2017): equal, halved each time, or falling each iteration'),
    ema: z
      .number()
      .min(0)
      .max(1)
      .default(0)
      .describe('Decay of a running average of the weights, which is then validated and exported; 0: none'),
    loss: z
      .enum(['ce', 'focal', 'dice', 'ce+dice', 'sum'])
      .default('ce')
      .describe('Loss of every stage; `sum` takes `lossWeights`'),
    lossWeights: z
      .strictObject({
        ce: z.number().min(0).max(100).default(1).describe('Weight of cross entropy in the loss `sum`'),
        focal: z.number().min(0).max(100).default(0).describe('Weight of the focal loss in the loss `sum`'),
        dice: z.number().min(0).max(100).default(0).describe('Weight of the Dice loss in the loss `sum`'),
      })
      .prefault({}),
    classWeightExponent: z
      .number()
      .min(0)
      .max(1)
      .default(0.5)
      .describe('Class weights are frequency^-exponent, clipped; with `imageWeightExponent` at most 1 together'),
    imageWeightExponent: z
      .number()
      .min(0)
      .max(1)
      .default(0.25)
      .describe("Sampling weights are frequency^-exponent of an image's rarest class"),
    augment: z
      .strictObject({
        angle: z.number().min(0).max(45).default(10).describe('Largest rotation in degrees'),
        crop: z.number().min(0).max(0.9).default(0.2).describe('Largest share of a side that a random crop takes away'),
        flip: z.boolean().default(true).describe('Mirror half of the pictures, swapping left and right classes'),
        brightness: z.number().min(0).max(1).default(0.2).describe('Largest relative change of brightness'),
        contrast: z.number().min(0).max(1).default(0.2).describe('Largest relative change of contrast'),
      })
      .prefault({}),
    checkpointEvery: z.number().int().min(1).max(100_000).default(1_000).describe('Iterations between checkpoints'),
    threads: z
      .number()
      .int()
      .min(1)
      .max(256)
      .default(2)
      .describe('Threads of the trainer on CPU; part of what makes a run repeatable'),
    processes: z
      .number()
      .int()
      .min(0)
      .max(64)
      .default(1)
      .describe('Processes that share each batch, one a GPU; 0: one for every GPU of the machine'),
    compile: z.enum(['auto', 'on', 'off']).default('auto').describe('torch.compile; auto: on a GPU, where it can'),
    exportPrecision: z
      .enum(['float32', 'float16'])
      .default('float32')
      .describe('Numbers inside the exported networks; float16 is half as large, and faster on GPUs alone'),
  })
  .refine(({ classWeightExponent, imageWeightExponent }) => classWeightExponent + imageWeightExponent <= 1 + 1e-9, {
    path: ['imageWeightExponent'],
    message: 'with classWeightExponent at most 1 together: above that, rare classes are favoured twice over',
  })
  .refine(({ loss, lossWeights: { ce, focal, dice } }) => loss !== 'sum' || ce + focal + dice > 0, {
    path: ['lossWeights'],
    message: 'one weight above 0 for the loss `sum`',
  });
export type TrainConfig = z.infer<typeof trainConfigSchema>;

export const scanConfigSchema = z.strictObject({
  shardSize: z.number().int().min(1).max(4_096).default(256).describe('Images a shard'),
  maxShardsInFlight: z.number().int().min(1).max(500).default(8).describe('Shards under way at once'),
  minShardSuccess: z
    .number()
    .min(0)
    .max(1)
    .default(0.95)
    .describe('Share of shards that must succeed for the scan to count'),
  provider: z
    .enum(['cpu', 'cuda'])
    .default('cpu')
    .describe(
      'Where ONNX Runtime runs the network: one provider a scan; where it is not there the scan fails and says so',
    ),
  sessions: z
    .number()
    .int()
    .min(1)
    .max(256)
    .nullable()
    .default(null)
    .describe(
      'ONNX Runtime sessions a worker, each in its own thread and taking one picture at a time; null: as many as a short trial finds the fastest',
    ),
  threadsPerSession: z
    .number()
    .int()
    .min(1)
    .max(64)
    .default(1)
    .describe('Threads a session; part of what makes a run repeatable'),
  folds: z.number().int().min(2).max(10).default(2).describe('Folds of cross-validation where no model may judge'),
  foldIterationShare: z
    .number()
    .min(0.05)
    .max(1)
    .default(2 / 3)
    .describe("Training iterations of a fold, as a share of the loop's"),
  crossValidateFrom: z
    .number()
    .int()
    .min(2)
    .max(100_000)
    .default(16)
    .describe(
      'Images without a model that may judge them, from which on folds are trained (or a quarter of the chunk, if that is less); fewer pass unjudged and are not picked',
    ),
  judgeTolerance: z
    .number()
    .min(0)
    .max(1)
    .default(0.02)
    .describe('A model judges only where its validation mIoU is within this of the best'),
  minClassIou: z
    .number()
    .min(0)
    .max(1)
    .default(0.3)
    .describe('Classes whose validation IoU is lower yield no model-based finding'),
  quarantineAt: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe('Images with at least this probability of being mislabelled are set aside'),
  quarantinePrecision: z
    .number()
    .min(0.5)
    .max(1)
    .nullable()
    .default(null)
    .describe(
      'Instead of `quarantineAt`: the threshold of each scan is the lowest at which this share of those set aside is expected to be mislabelled',
    ),
  quarantine: z
    .enum(['image', 'region'])
    .default('image')
    .describe(
      'What of a suspect image is kept from training: all of it, or only the regions of its findings where these are regions (training ignores their pixels)',
    ),
  quarantineCap: z
    .number()
    .min(0)
    .max(1)
    .default(0.3)
    .describe('Largest share of a chunk that is set aside; the overflow goes to review only'),
  auditSample: z
    .number()
    .int()
    .min(0)
    .max(10_000)
    .default(50)
    .describe('Images drawn for review over all probabilities'),
});
export type ScanConfig = z.infer<typeof scanConfigSchema>;

/** What a class of the group `minor` counts in the IoU of an image, where nobody says otherwise. */
export const MINOR_WEIGHT = 2;

export const sampleConfigSchema = z.strictObject({
  share: z.number().gt(0).max(1).default(0.5).describe('Share of the chunk that is picked'),
  randomShare: z.number().min(0).max(1).default(0.2).describe('Share of the picks that is drawn at random'),
  perCluster: z.number().int().min(1).max(1_000).default(2).describe('Most picks of one duplicate cluster'),
  shrinkage: z.number().min(0).max(10_000).default(20).describe('Images a tag needs before its own IoU counts half'),
  minorWeight: z
    .number()
    .min(1)
    .max(20)
    .default(MINOR_WEIGHT)
    .describe('Weight of minor parts in the IoU of an image, thus in its hardness'),
});
export type SampleConfig = z.infer<typeof sampleConfigSchema>;

export const gateConfigSchema = z.strictObject({
  margin: z.number().min(0).max(0.5).default(0).describe('The lower bound of the gain in mIoU must exceed this'),
  alpha: z
    .number()
    .gt(0)
    .lt(0.5)
    .default(0.05)
    .describe('Error probability, spent over the iterations of one test version'),
  sliceMargin: z.number().min(0).max(0.5).default(0.02).describe('Largest tolerated drop in a protected slice'),
  minUnits: z
    .number()
    .int()
    .min(2)
    .max(10_000)
    .default(20)
    .describe('Vehicles or images below which there is not enough data'),
  resamples: z.number().int().min(100).max(100_000).default(2_000).describe('Bootstrap resamples'),
  mode: z.enum(['auto', 'approve']).default('auto').describe('Promote by itself, or wait for an approval'),
});
export type GateConfig = z.infer<typeof gateConfigSchema>;

export const tuneConfigSchema = z.strictObject({
  enabled: z.boolean().default(false).describe('Search for better training settings after each iteration'),
  trials: z.number().int().min(2).max(1_000).default(9).describe("Settings that are tried, the loop's own among them"),
  hours: z
    .number()
    .positive()
    .max(10_000)
    .nullable()
    .default(null)
    .describe('No training starts that would not end within so many hours; null = no limit'),
  rungs: z
    .number()
    .int()
    .min(1)
    .max(6)
    .default(3)
    .describe('Lengths at which trials are compared; the longest has all cycles of the learning rate'),
  reduction: z
    .number()
    .int()
    .min(2)
    .max(8)
    .default(2)
    .describe('One of so many trials goes on to the next rung, which is so many times as long'),
  iterationShare: z
    .number()
    .gt(0)
    .max(1)
    .default(0.5)
    .describe('Length of the longest rung as a share of `train.iterations`'),
  parallel: z.number().int().min(1).max(64).default(1).describe('Trials at a time; needs as many train workers'),
  minGain: z
    .number()
    .min(0)
    .max(0.5)
    .default(0.005)
    .describe("Gain in mIoU on the validation images over the loop's own settings from which on others are proposed"),
  adopt: z
    .enum(['auto', 'approve'])
    .default('approve')
    .describe('Take proposed settings over by itself, or wait for `partloop loop adopt`'),
  space: tuneSpaceSchema.prefault({}),
});
export type TuneConfig = z.infer<typeof tuneConfigSchema>;

export const durabilityConfigSchema = z.strictObject({
  trainHeartbeatSeconds: z
    .number()
    .int()
    .min(2)
    .max(3_600)
    .default(600)
    .describe('Silence after which a training attempt counts as lost'),
  scanHeartbeatSeconds: z
    .number()
    .int()
    .min(2)
    .max(3_600)
    .default(120)
    .describe('Silence after which any other activity counts as lost'),
  inferenceStallSeconds: z
    .number()
    .int()
    .min(1)
    .max(86_400)
    .default(300)
    .describe(
      'Time for one picture in a scan or an evaluation, or 20 times that of the slowest so far, after which it counts as hung: its worker starts anew',
    ),
});
export type DurabilityConfig = z.infer<typeof durabilityConfigSchema>;

export const loopConfigSchema = z.strictObject({
  pool: nameSchema.describe('The pool to draw from'),
  chunkSize: z.number().int().min(1).max(1_000_000).default(50_000).describe('New images an iteration draws'),
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
      'Share of the drawn, training, validation or test images that may be gone, changed or unreadable and are left out; three may in any case, or a quarter of fewer than 12; 0: none',
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
      'Where no benchmark is registered: train one on this many random images of the pool, after the first scan; null = the first candidate becomes the benchmark',
    ),
  durability: durabilityConfigSchema.prefault({}),
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

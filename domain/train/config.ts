import { z } from 'zod';

/** A backbone: one of ours, or a name of timm. */
export const trainerPresetSchema = z.string().regex(/^[a-z0-9_.]{1,64}$/, 'use 1–64 of a–z, 0–9, _ and .');

/**
 * The settings of a training. `trainer/partloop_trainer/settings.py` declares the same for the trainer; a test ensures
 * that names, defaults, bounds and sentences agree.
 */
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
    batchSize: z.number().int().min(1).max(4_096).default(16).describe('Images per iteration'),
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
    doubtBackground: z
      .number()
      .min(0)
      .max(1)
      .default(1)
      .describe(
        "After 30 % of the iterations, a label's background counts only where the network gives every part at most " +
          'this probability; 1: everywhere',
      ),
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
      .describe('Processes that share each batch, one per GPU; 0: one for every GPU of the machine'),
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

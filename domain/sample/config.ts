import { z } from 'zod';

/** Default weight of a class of the group `minor` in the IoU of an image. */
export const MINOR_WEIGHT = 2;

/** Ways to choose images (`policies/`). */
export const POLICY_NAMES = ['need', 'cover', 'random'] as const;

/** The choice of images from a chunk. */
export const sampleConfigSchema = z.strictObject({
  policy: z
    .enum(POLICY_NAMES)
    .default('need')
    .describe(
      'How images are chosen: need (by tags with a poor IoU, hardness and rare parts), cover (each adds most to the tags, pairs of tags and parts in the training set) or random',
    ),
  share: z.number().gt(0).max(1).default(0.5).describe('Share of the chunk that is picked'),
  randomShare: z.number().min(0).max(1).default(0.2).describe('Share of the picks that is drawn at random'),
  perCluster: z
    .number()
    .int()
    .min(1)
    .max(1_000)
    .default(2)
    .describe('Largest number of picks from one cluster of duplicates'),
  shrinkage: z
    .number()
    .min(0)
    .max(10_000)
    .default(20)
    .describe('Number of images with a tag at which its own IoU counts half'),
  minorWeight: z
    .number()
    .min(1)
    .max(20)
    .default(MINOR_WEIGHT)
    .describe('Weight of minor parts in the IoU of an image, thus in its hardness'),
});
export type SampleConfig = z.infer<typeof sampleConfigSchema>;

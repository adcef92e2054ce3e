import { z } from 'zod';
import { recorded } from '../base/recorded.js';
import { wantedTagsSchema } from '../tags.js';
import { classNameSchema } from '../taxonomy.js';

/** Default weight of a class of the group `minor` in the IoU of an image. */
export const MINOR_WEIGHT = 2;

/** Ways to choose images (`policies/`). */
export const POLICY_NAMES = ['need', 'cover', 'random'] as const;

/** Images that matter more than others: they have all of these tags and show all of these classes. */
export const focusSchema = z
  .strictObject({
    tags: wantedTagsSchema.default({}),
    classes: z.array(classNameSchema).max(32).default([]),
    factor: z.number().min(1).max(100).default(2),
  })
  .refine(({ tags, classes }) => Object.keys(tags).length + classes.length > 0, {
    message: 'it names neither `tags` nor `classes`',
  });
export type FocusConfig = z.infer<typeof focusSchema>;

/** The choice of images from a chunk. */
export const sampleConfigSchema = z.strictObject({
  policy: z
    .enum(POLICY_NAMES)
    .default('need')
    .describe(
      'How images are chosen: need (by tags with a poor IoU, hardness and rare parts), cover (each adds most to the tags, pairs of tags and parts in the training set) or random',
    ),
  focus: z
    .array(focusSchema)
    .max(16)
    .default([])
    .describe(
      'Images that count more: with all of `tags` and all of `classes` the need is `factor` times as much (docs/sampling.md)',
    ),
  share: z.number().gt(0).max(1).default(0.5).describe('Share of the chunk that is picked, unless `count` is given'),
  count: z
    .number()
    .int()
    .min(1)
    .max(1_000_000)
    .nullable()
    .default(null)
    .describe('Images to pick per iteration, at most `chunkSize`; `share` then has no effect; null: by `share`'),
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
  controlArm: z
    .boolean()
    .default(false)
    .describe(
      'Also train a second network on as many random images, and report the gain over it. It costs a second training and one more evaluation per iteration (docs/sampling.md)',
    ),
});
export type SampleConfig = z.infer<typeof sampleConfigSchema>;

/** The settings that decide the picks, for digests: picks are the same with a control and without one. */
export const settingsOfPicks = ({ controlArm: _, ...settings }: SampleConfig): Omit<SampleConfig, 'controlArm'> =>
  settings;

/** Settings as an iteration has them on record, with defaults for those that an older version did not have. */
export const recordedSampleConfig = (config: unknown): SampleConfig => recorded(sampleConfigSchema).parse(config);

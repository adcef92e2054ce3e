import { z } from 'zod';
import { sha256Schema } from '../base/ids.js';
import { trainConfigSchema } from '../config.js';

const iou = z.number().min(0).max(1);

/** `model.json` beside every trained model: its training images, the form of its input, its results on val. */
export const modelCardSchema = z.object({
  version: z.literal(1),
  taxonomyDigest: sha256Schema,
  /** Index = label value; 0 is background. */
  classes: z.array(z.string()).min(2),
  input: z.object({
    name: z.literal('image'),
    layout: z.literal('NHWC'),
    dtype: z.literal('uint8'),
    size: z.number().int().positive(),
  }),
  /** `list` is the key of training-list.json; null if it is unknown; then the model may judge nothing. */
  trainedOn: z.object({ list: z.string().nullable(), digest: sha256Schema }),
  /** mIoU without background on the val list; null without one. */
  valMiou: iou.nullable(),
  /** Class name -> IoU on val; null if val has no such pixel. */
  valClassIou: z.record(z.string(), iou.nullable()),
  /** Digest of only the weights: equal for equal runs, however often they were interrupted. */
  weightsSha256: sha256Schema,
  files: z.object({ model: sha256Schema, scan: sha256Schema }),
  preset: z.string(),
  imageSize: z.number().int().positive(),
  iterations: z.number().int().positive(),
  /** The settings it was trained with; null if the model comes from elsewhere. */
  config: trainConfigSchema.nullable().default(null),
  /** Digest of the weights that training started from; null if it started from the backbone's pretraining. */
  startedFrom: sha256Schema.nullable().default(null),
});
export type ModelCard = z.infer<typeof modelCardSchema>;

/** `training-list.json`: images that the model may not judge, with their vehicles and duplicate clusters. */
export const trainingListSchema = z.object({
  images: z.array(z.object({ imageId: sha256Schema, vehicleId: z.string().nullable(), cluster: sha256Schema })),
});
export type TrainingList = z.infer<typeof trainingListSchema>;

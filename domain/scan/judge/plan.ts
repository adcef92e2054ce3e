import { z } from 'zod';
import { splitChoiceSchema } from './split.js';

/**
 * The judge of each image of a chunk: written once by `planScan`, read by the fold trainings, the shards and the
 * reduce.
 */
export const scanPlanSchema = z.object({
  version: z.literal(1),
  poolVersion: z.number().int().nonnegative(),
  /** If it is not `train`, folds may have images of any side of the split: they judge only this scan. */
  split: splitChoiceSchema.default('train'),
  /** Models of cross-validation to train first, with their images. */
  folds: z.array(z.object({ fold: z.number().int().nonnegative(), trainingSet: z.string(), images: z.number().int() })),
  /** Judges: a trained model by its keys, or the model of a fold. */
  judges: z.array(
    z.union([
      z.object({ kind: z.literal('model'), name: z.string(), scanKey: z.string(), cardKey: z.string() }),
      z.object({ kind: z.literal('fold'), fold: z.number().int().nonnegative() }),
    ]),
  ),
  /** Each shard is judged by one judge; `rows` is a Parquet table of chunk rows. */
  shards: z.array(
    z.object({
      shard: z.number().int().nonnegative(),
      judge: z.number().int().nonnegative(),
      rows: z.string(),
      images: z.number().int().positive(),
    }),
  ),
  /** Images without a judge that are too few for folds; they pass unjudged. */
  unjudged: z.array(z.string()),
});
export type ScanPlan = z.infer<typeof scanPlanSchema>;

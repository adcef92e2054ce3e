import { z } from 'zod';
import { splitChoiceSchema } from './split.js';

/**
 * Who judges which image of a chunk: written once by `planScan`, read by the fold trainings, the shards and the reduce.
 */
export const scanPlanSchema = z.object({
  version: z.literal(1),
  poolVersion: z.number().int().nonnegative(),
  /** Where it is not `train`, folds may hold images of any side of the split: they judge this scan and nothing else. */
  split: splitChoiceSchema.default('train'),
  /** Models of cross-validation to train first, and on what. */
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
  /** Images that no model may judge and that are too few to train folds for; they pass unjudged. */
  unjudged: z.array(z.string()),
});
export type ScanPlan = z.infer<typeof scanPlanSchema>;

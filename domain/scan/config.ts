import { z } from 'zod';
import { ALPHA, MOST_ASKED } from '../review/propagate/limits.js';

/** The settings of the search for wrong labels in a chunk. */
export const scanConfigSchema = z.strictObject({
  shardSize: z.number().int().min(1).max(4_096).default(256).describe('Images per shard'),
  maxShardsInFlight: z.number().int().min(1).max(500).default(8).describe('Shards that are judged at the same time'),
  minShardSuccess: z
    .number()
    .min(0)
    .max(1)
    .default(0.95)
    .describe('Share of shards that must succeed for the scan to count'),
  provider: z
    .enum(['cpu', 'cuda'])
    .default('cpu')
    .describe('Where ONNX Runtime runs the network, for the whole scan; the scan fails if the provider is missing'),
  sessions: z
    .number()
    .int()
    .min(1)
    .max(256)
    .nullable()
    .default(null)
    .describe(
      'ONNX Runtime sessions per worker, each in its own thread with one picture at a time; null: the number that is fastest in a short trial',
    ),
  threadsPerSession: z
    .number()
    .int()
    .min(1)
    .max(64)
    .default(1)
    .describe('Threads per session; part of what makes a run repeatable'),
  folds: z.number().int().min(2).max(10).default(2).describe('Folds of cross-validation, if no model may judge'),
  foldIterationShare: z
    .number()
    .min(0.05)
    .max(1)
    .default(2 / 3)
    .describe("Training iterations of a fold, as a share of the loop's"),
  foldDoubt: z
    .number()
    .min(0)
    .max(1)
    .nullable()
    .default(null)
    .describe(
      '`train.doubtBackground` of a fold: below 1 it learns less from parts that were left out; null: as given',
    ),
  crossValidateFrom: z
    .number()
    .int()
    .min(2)
    .max(100_000)
    .default(16)
    .describe(
      'Folds are trained if no model may judge at least this many images, or a quarter of the chunk if that is less; fewer images stay unjudged and are not picked',
    ),
  judgeTolerance: z
    .number()
    .min(0)
    .max(1)
    .default(0.02)
    .describe('A model judges only if its validation mIoU is at most this far below the best'),
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
      'Instead of `quarantineAt`: each scan takes the lowest threshold at which this share of the images set aside is expected to be mislabelled',
    ),
  quarantine: z
    .enum(['image', 'region'])
    .default('image')
    .describe(
      'Keep whole suspect images from training, or only the regions of their findings (training ignores these pixels)',
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
  autoCorrect: z
    .enum(['off', 'propose', 'apply'])
    .default('off')
    .describe(
      'Corrections by answers to a few drawn findings. propose: each scan draws its questions. apply: in addition, once all are answered, the next draw first writes the corrections within the bound',
    ),
  autoCorrectAlpha: z
    .number()
    .min(0.01)
    .max(0.5)
    .default(ALPHA)
    .describe('Largest share of harmful corrections that `autoCorrect` may make'),
  autoCorrectAnswers: z
    .number()
    .int()
    .min(1)
    .max(MOST_ASKED)
    .default(50)
    .describe('Findings that `autoCorrect` draws for reviewers after each scan'),
});
export type ScanConfig = z.infer<typeof scanConfigSchema>;

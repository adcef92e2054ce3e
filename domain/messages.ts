import { z } from 'zod';
import { nameSchema } from './base/ids.js';
import { type LoopConfig, loopConfigSchema, policyConfigSchema, trainerPresetSchema } from './config.js';
import type { RegisteredModel } from './decide/decision.js';
import { iterationsSchema } from './loop/startRequest.js';
import { splitChoiceSchema } from './scan/judge/split.js';
import { settingsSchema } from './settings/settings.js';
import { foldResultSchema, iterationContextSchema, resultSchemas, stepResultsSchema, stepSchema } from './steps.js';
import { trialSchema } from './tune/halving.js';
import type { Proposal } from './tune/proposal.js';

const loopFields = loopConfigSchema.shape;
const trainFields = loopFields.train.unwrap().shape;
const policyFields = policyConfigSchema.shape;

// --- Workflow inputs ----------------------------------------------------------------------------------------------

/** One finished or failed iteration, as shown by the details table and `loop status`. */
export const iterationRowSchema = z.object({
  iteration: z.number().int(),
  status: z.enum(['finished', 'failed']),
  drawn: z.number().nullable(),
  /** Images set aside. Rows travel between builds, so the name stays. */
  flagged: z.number().nullable(),
  sampled: z.number().nullable(),
  trainingSet: z.number().nullable(),
  /** Images that steps left out, by step and reason: `draw: 2 gone; test: 1 changed`. */
  leftOut: z.string().nullable().default(null),
  miou: z.number().nullable(),
  benchmarkMiou: z.number().nullable(),
  gate: z.string().nullable(),
  seconds: z.number(),
  error: z.string().nullable(),
});
export type IterationRow = z.infer<typeof iterationRowSchema>;

export const loopIterationInputSchema = z.strictObject({
  context: iterationContextSchema,
});

/**
 * The input of a `mislabelScan` that a person starts outside a loop; every field is optional. Without a model and
 * without cross-validation, the pool's benchmark judges the images that it has not seen. If there is no benchmark, two
 * folds judge.
 */
export const scanRequestSchema = z.strictObject({
  pool: nameSchema.optional().describe('The pool to scan; may be omitted if there is only one'),
  crossValidate: z
    .number()
    .int()
    .min(2)
    .max(10)
    .optional()
    .describe(
      'Train this many folds, which judge each other; if omitted, the model in production judges, or folds if there is none',
    ),
  model: z
    .strictObject({ scan: z.string().max(1_024), card: z.string().max(1_024) })
    .optional()
    .describe('Keys of a scan.onnx and its card in the store; `partloop scan run --model` puts them there'),
  split: splitChoiceSchema
    .default('train')
    .describe(
      'Images to judge; those of `val` and `test` by a model that has not seen them, or by folds that judge nothing else',
    ),
  imageSize: trainFields.imageSize.unwrap().optional().describe('Longest side in pixels that a fold sees'),
  iterations: trainFields.iterations.unwrap().optional().describe('Training iterations of a fold'),
  batchSize: trainFields.batchSize.unwrap().optional().describe('Images per training iteration'),
  preset: trainerPresetSchema.optional().describe('Backbone of a fold'),
  seed: loopFields.seed.unwrap().optional().describe('Seed of every random choice'),
  settings: settingsSchema.optional().describe('Any other setting, shaped as in docs/config.md'),
});
export type ScanRequest = z.infer<typeof scanRequestSchema>;

/** The judges of a scan outside a loop. */
export const scanJudgeSchema = z.union([
  z.strictObject({ kind: z.literal('cross-validation') }),
  z.strictObject({ kind: z.literal('benchmark') }),
  z.strictObject({ kind: z.literal('model'), scan: z.string(), card: z.string() }),
]);
export type ScanJudge = z.infer<typeof scanJudgeSchema>;

export const scanInputSchema = z.strictObject({
  context: iterationContextSchema,
  draw: resultSchemas.draw,
  /** Set if the scan belongs to no loop. */
  judge: scanJudgeSchema.optional(),
  /** The place at which a run that continued as new resumes. */
  resume: z
    .strictObject({
      planKey: z.string(),
      /** Object with the common input of all shards; older runs pass that input to each shard. */
      setupKey: z.string().optional(),
      folds: z.array(foldResultSchema),
      shards: z.number().int(),
      next: z.number().int(),
      failed: z.array(z.number().int()),
    })
    .nullable()
    .default(null),
});
export type ScanInput = z.input<typeof scanInputSchema>;

/** A search belongs to an iteration: it trains on the same images. */
export const tuneInputSchema = z.strictObject({
  context: iterationContextSchema,
  results: stepResultsSchema,
  /** The place at which a run that continued as new resumes. */
  resume: z
    .strictObject({
      trials: z.array(trialSchema),
      chains: z.array(z.string()),
      trained: z.object({ iterations: z.number(), seconds: z.number() }),
      startedAt: z.number(),
    })
    .nullable()
    .default(null),
});

// --- Commands to a loop -------------------------------------------------------------------------------------------

export const runIterationsSchema = z.strictObject({
  iterations: iterationsSchema.default(1),
  /** The configuration of a loop that has none yet; without `settings`, the loop's configuration from now on. */
  config: loopConfigSchema,
  /** Settings from the person or the Schedule, merged over those of the loop. */
  settings: settingsSchema.optional(),
});
export type RunIterations = z.infer<typeof runIterationsSchema>;
/**
 * started: runs now; resumed: had failed or was waiting for images, and continues; queued: runs after the current
 * request; joined: this request became part of one that was already queued.
 */
export interface RunIterationsAnswer {
  outcome: 'started' | 'resumed' | 'queued' | 'joined';
  loop: string;
  nextIteration: number;
  /** Number of iterations that the loop still has to do, including queued ones. */
  remaining: number;
  /** The settings of the requested iterations. */
  config: LoopConfig;
}

export const retryIterationSchema = z.strictObject({
  iteration: z.number().int().min(1).optional().describe('The iteration to do again; the one that failed if omitted'),
  from: stepSchema
    .optional()
    .describe('Do this step and all after it again, even if they are done; if omitted, go on from the failed step'),
  settings: settingsSchema.optional().describe('Settings to change, shaped as in docs/config.md'),
});
export type RetryIteration = z.input<typeof retryIterationSchema>;
export const approveIterationSchema = z.strictObject({
  iteration: z
    .number()
    .int()
    .min(1)
    .optional()
    .describe('The iteration whose model goes into production; the last recorded one if omitted'),
  by: z
    .string()
    .trim()
    .min(1)
    .max(200)
    .default('somebody in the Temporal UI')
    .describe('Who approves, for the history of models in production'),
});
export type ApproveIteration = z.input<typeof approveIterationSchema>;
/** The model of an iteration that is in production now, also if it was approved before. */
export interface Approval {
  loop: string;
  iteration: number;
  model: RegisteredModel;
  /** When and why it went into production: `approved by kim`. */
  at: string;
  reason: string;
  /** Why MLflow could not be told of it; null if it was, or if the loop does not track. */
  untold: string | null;
}
export const stopSchema = z.strictObject({
  now: z.boolean().default(false).describe('Cancel the running iteration instead of ending after it'),
});
export type StopLoop = z.input<typeof stopSchema>;
/** A field that is left out stays as it is. */
export const policyRequestSchema = z.strictObject({
  newImages: policyFields.newImages
    .unwrap()
    .optional()
    .describe(policyFields.newImages.description ?? ''),
  begin: policyFields.begin
    .unwrap()
    .optional()
    .describe(policyFields.begin.description ?? ''),
});
export type PolicyRequest = z.infer<typeof policyRequestSchema>;
export const pauseSchema = z.strictObject({
  now: z.boolean().default(false).describe('Let the current step save its work and hold now, instead of at its end'),
});
export type PauseLoop = z.input<typeof pauseSchema>;

/** The message to loops after images were added to a pool. */
export const poolNewsSchema = z.looseObject({ pool: z.string().optional() });
export type PoolNews = z.input<typeof poolNewsSchema>;

/** The message of an iteration to its loop at its end, also after a reset in the UI. */
export interface IterationFinished {
  iteration: number;
  /** no-images: the pool had none to draw; nothing is recorded and nothing failed. */
  status: 'finished' | 'failed' | 'no-images';
  error: string | null;
}

/** The message of an iteration to its loop when it holds before a step, and when it continues. */
export interface IterationHeld {
  iteration: number;
  held: boolean;
}

// --- Queries ------------------------------------------------------------------------------------------------------

export const LOOP_PHASES = [
  'idle',
  'running',
  'pausing',
  'paused',
  'failed',
  'waiting for images',
  'stopping',
  'stopped',
] as const;
export interface LoopStatus {
  loop: string;
  phase: (typeof LOOP_PHASES)[number];
  iteration: number | null;
  remaining: number;
  pending: number | null;
  nextIteration: number;
  error: string | null;
  /** While it waits for a number of images: how many there are to draw. Loops of earlier builds do not say. */
  newImages?: { undrawn: number; needed: number } | null;
  /** Training settings that a search found better, until somebody adopts them. */
  proposal: Proposal | null;
  rows: IterationRow[];
}

/** The answer of a `loopIteration` to the query `progress`. */
export const iterationProgressSchema = z.object({
  /** The step under way. */
  step: stepSchema.nullable(),
  /** Whether it holds before that step. */
  held: z.boolean(),
  results: stepResultsSchema,
});
export type IterationProgress = z.infer<typeof iterationProgressSchema>;

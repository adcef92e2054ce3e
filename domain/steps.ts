import { z } from 'zod';
import { loopConfigSchema } from './config.js';
import { nameSchema, sha256Schema } from './ids.js';

/** The steps of an iteration, in order; `tune` only where it is enabled. */
export const STEPS = ['draw', 'scan', 'sample', 'train', 'evaluate', 'decide', 'tune', 'report'] as const;
export type Step = (typeof STEPS)[number];
export const stepSchema = z.enum(STEPS);

/** Work with a commit of its own that is a part of a step. */
export const PARTS = { plan: 'scan', fold: 'scan', trial: 'tune' } as const satisfies Record<string, Step>;
export type Part = keyof typeof PARTS;
export const isPart = (step: string): step is Part => Object.hasOwn(PARTS, step);

/** hit: found done with the same digest; miss: done now; forced: done again although it was there. */
export const stepOutcomeSchema = z.enum(['hit', 'miss', 'forced']);

const factSchema = z.union([z.number(), z.string(), z.boolean(), z.null()]);

/** What travels through Temporal of a finished step: keys and small facts, never data. */
export const stepResultSchema = z.object({
  step: z.string(),
  digest: sha256Schema,
  outcome: stepOutcomeSchema,
  /** name -> S3 key inside the store. */
  outputs: z.record(z.string(), z.string()),
  /** Small facts for people and for later steps. */
  facts: z.record(z.string(), factSchema),
  seconds: z.number().nonnegative(),
});
export type StepResult = z.infer<typeof stepResultSchema>;

/** A forced replay: goes into the digests of the steps from `from` on, so that they are done again. */
export const forceSchema = z.object({ from: stepSchema, token: z.string().max(64) });

/** Everything a step of one iteration needs to know beside the results of the steps before it. */
export const iterationContextSchema = z.object({
  loop: nameSchema,
  iteration: z.number().int().positive(),
  config: loopConfigSchema,
  /** The loop's earlier iterations: what later steps build on (training sets, models, misses). */
  previous: z
    .object({
      sample: stepResultSchema,
      train: stepResultSchema,
      evaluate: stepResultSchema,
      draw: stepResultSchema,
      scan: stepResultSchema,
    })
    .nullable(),
  force: forceSchema.nullable(),
  /** Results of an earlier attempt that this one takes over as they are. */
  kept: z.partialRecord(stepSchema, stepResultSchema).optional(),
  /**
   * Raised by each request of a person to try again within one run of the iteration's workflow; a new run counts by itself. In no
   * digest: it lets a training try again that gave up, from its newest checkpoint.
   */
  retry: z.number().int().nonnegative().optional(),
});
export type IterationContext = z.infer<typeof iterationContextSchema>;

/** The results of the steps of one iteration so far. */
export type StepResults = Partial<Record<Step, StepResult>>;

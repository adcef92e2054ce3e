import { z } from 'zod';
import { trialSchema } from './halving.js';
import { tunedSettingsSchema } from './space.js';

/** Settings that a search found better than the loop's own. */
export const proposalSchema = z.object({
  /** Iteration whose search found them. */
  iteration: z.number().int().positive(),
  settings: tunedSettingsSchema,
  /** mIoU on the validation images at the last rung: of these settings, and of the loop's own. */
  miou: z.number(),
  ownMiou: z.number(),
});
export type Proposal = z.infer<typeof proposalSchema>;

/** `tuning.json` of the step tune: the table of trials and its result. */
export const tuningSchema = z.object({
  version: z.literal(1),
  trials: z.array(trialSchema),
  /** Iterations at which the rungs end. */
  rungs: z.array(z.number().int().positive()),
  proposal: proposalSchema.nullable(),
  /** The reason for an end before all trials were done; null if there was none. */
  stopped: z.string().nullable(),
});
export type Tuning = z.infer<typeof tuningSchema>;

import { z } from 'zod';
import { tuneSpaceSchema } from './space.js';

/** The search for better training settings. */
export const tuneConfigSchema = z.strictObject({
  enabled: z.boolean().default(false).describe('Search for better training settings after each iteration'),
  trials: z.number().int().min(2).max(1_000).default(9).describe("Number of settings to try, including the loop's own"),
  hours: z
    .number()
    .positive()
    .max(10_000)
    .nullable()
    .default(null)
    .describe('Time limit of a search in hours: it starts no training that would end later; null: no limit'),
  rungs: z
    .number()
    .int()
    .min(1)
    .max(6)
    .default(3)
    .describe('Lengths at which trials are compared; the longest has all cycles of the learning rate'),
  reduction: z
    .number()
    .int()
    .min(2)
    .max(8)
    .default(2)
    .describe('One in this many trials goes on to the next rung, which is this many times as long'),
  iterationShare: z
    .number()
    .gt(0)
    .max(1)
    .default(0.5)
    .describe('Length of the longest rung as a share of `train.iterations`'),
  parallel: z.number().int().min(1).max(64).default(1).describe('Trials at a time; needs as many train workers'),
  minGain: z
    .number()
    .min(0)
    .max(0.5)
    .default(0.005)
    .describe('Settings are proposed if they gain at least this much mIoU on the validation images'),
  adopt: z
    .enum(['auto', 'approve'])
    .default('approve')
    .describe('Adopt proposed settings automatically, or wait for `partloop loop adopt`'),
  space: tuneSpaceSchema.prefault({}),
});
export type TuneConfig = z.infer<typeof tuneConfigSchema>;

import { z } from 'zod';
import { recorded } from '../base/recorded.js';

/** When a candidate replaces the benchmark. */
export const gateConfigSchema = z.strictObject({
  margin: z.number().min(0).max(0.5).default(0).describe('The lower bound of the gain in mIoU must exceed this'),
  alpha: z
    .number()
    .gt(0)
    .lt(0.5)
    .default(0.05)
    .describe('Error probability, spent over the iterations of one test version'),
  plannedLooks: z
    .number()
    .int()
    .min(1)
    .max(1_000)
    .default(30)
    .describe('Decisions planned on one test version: each gets the same share of `alpha`, later ones much less'),
  sliceMargin: z.number().min(0).max(0.5).default(0.02).describe('Largest tolerated drop in a protected slice'),
  minUnits: z
    .number()
    .int()
    .min(2)
    .max(10_000)
    .default(20)
    .describe('With fewer vehicles or images than this, there is not enough data'),
  resamples: z.number().int().min(100).max(100_000).default(2_000).describe('Bootstrap resamples'),
  mode: z.enum(['auto', 'approve']).default('auto').describe('Promote automatically, or wait for approval'),
});
export type GateConfig = z.infer<typeof gateConfigSchema>;

/** Settings as an iteration has them on record, with defaults for those that an older version did not have. */
export const recordedGateConfig = (config: unknown): GateConfig => recorded(gateConfigSchema).parse(config);

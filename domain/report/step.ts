import { z } from 'zod';
import type { LoopConfig } from '../config.js';
import type { ResultOf, StepContract } from '../stepContract.js';

/** Step report: one HTML file that a person can keep, mail and print. */
export const reportStep = {
  step: 'report',
  version: 2,
  inputs: z.strictObject({
    /** The number of each iteration so far, with the digests of its steps. */
    steps: z.array(z.array(z.union([z.number(), z.string(), z.null()]))),
    config: z.custom<LoopConfig>(),
  }),
  outputs: z.object({
    /** The page. */
    report: z.string(),
  }),
  facts: z.object({}),
} as const satisfies StepContract;
export type ReportResult = ResultOf<typeof reportStep>;

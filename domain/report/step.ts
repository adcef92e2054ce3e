import { z } from 'zod';
import type { LoopConfig, SampleConfig } from '../config.js';
import { fact, type ResultOf, type StepContract } from '../stepContract.js';

/** Step report: one HTML file that a person can keep, mail and print. */
export const reportStep = {
  step: 'report',
  version: 3,
  inputs: z.strictObject({
    /** The number of each iteration so far, with the digests of its steps. */
    steps: z.array(z.array(z.union([z.number(), z.string(), z.null()]))),
    /**
     * When iterations begin, and where they are noted, changes nothing of what is told of one. The steps show whether
     * there is a control.
     */
    config: z.custom<
      Omit<LoopConfig, 'policy' | 'tracking' | 'sample'> & { sample: Omit<SampleConfig, 'controlArm'> }
    >(),
  }),
  outputs: z.object({
    /** The page. */
    report: z.string(),
  }),
  facts: z.object({
    /** Not of the page: whoever records the iteration adds it. */
    tracking: fact.text('not noted elsewhere').optional(),
  }),
} as const satisfies StepContract;
export type ReportResult = ResultOf<typeof reportStep>;

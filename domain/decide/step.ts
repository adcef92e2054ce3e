import { z } from 'zod';
import { sha256Schema } from '../base/ids.js';
import { fact, type ResultOf, type StepContract } from '../stepContract.js';

/** Step decide: the candidate against the model in production, on the same test set. */
export const decideStep = {
  step: 'decide',
  version: 2,
  inputs: z.strictObject({
    /** Digest of the evaluation. */
    evaluate: sha256Schema,
    /** Digest of the model in production. */
    benchmark: sha256Schema.nullable(),
    /** Number of this look at the test set, counted from 1. */
    look: z.number().int().nullable(),
    config: z.record(z.string(), z.unknown()),
    seed: z.number().int(),
    iteration: z.number().int(),
  }),
  outputs: z.object({
    /** JSON: the gate's verdict with its reasons and all its numbers. */
    decision: z.string(),
    /** Table: results of the model in production on the test images. */
    benchmarkImages: z.string().optional(),
  }),
  facts: z.object({
    gate: fact.text('gate'),
    gain: fact.difference('gain in mIoU'),
    lower: fact.difference('gain, lower bound'),
    upper: fact.difference('gain, upper bound'),
    benchmarkMiou: fact.iou('mIoU of the model in production'),
    promoted: fact.yesNo('goes into production'),
    pendingApproval: fact.yesNo('waits for approval'),
    images: fact.number('test images compared on'),
    leftOut: fact.exception('test images left out'),
    looksUsed: fact.number('looks at the test set'),
    looksLeft: fact.number('planned looks left'),
  }),
} as const satisfies StepContract;
export type DecideResult = ResultOf<typeof decideStep>;

import { z } from 'zod';
import { sha256Schema } from '../base/ids.js';
import { fact, type ResultOf, type StepContract } from '../stepContract.js';

/**
 * Step control, if `sample.controlArm` is on: the gain over a model that was trained on a random training set of the
 * same size. It decides nothing, and its model goes nowhere else.
 */
export const controlStep = {
  step: 'control',
  version: 1,
  inputs: z.strictObject({
    /** Digest of the control's training; null if it failed. */
    arm: sha256Schema.nullable(),
    /** Digests of the iteration's own steps. */
    train: sha256Schema,
    evaluate: sha256Schema,
    alpha: z.number(),
    resamples: z.number().int(),
    seed: z.number().int(),
    iteration: z.number().int(),
    /** Whether the control's weights lack earlier trainings. */
    behind: z.boolean(),
    /** Why there is no control. */
    why: z.string().nullable(),
  }),
  outputs: z.object({
    /** JSON: the gain over random, with its bounds, or why there is none. */
    comparison: z.string(),
    /** Table: results of the control on the test images. */
    controlImages: z.string().optional(),
    /** JSON: the control's model card, with the list of its images. */
    controlCard: z.string().optional(),
    /** Weights from which the next iteration's control may start. */
    controlWeights: z.string().optional(),
  }),
  facts: z.object({
    gain: fact.difference('gain over random'),
    lower: fact.difference('gain over random, lower bound'),
    upper: fact.difference('gain over random, upper bound'),
    miou: fact.iou('mIoU of the control'),
    images: fact.count('random images trained on').optional(),
    unlike: fact.text('how else the control differs'),
    why: fact.text('why there is no control'),
    behind: fact.yesNo('lacks earlier trainings').optional(),
  }),
} as const satisfies StepContract;
export type ControlResult = ResultOf<typeof controlStep>;

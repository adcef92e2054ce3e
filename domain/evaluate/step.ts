import { z } from 'zod';
import { nameSchema, sha256Schema } from '../base/ids.js';
import { fact, type ResultOf, type StepContract } from '../stepContract.js';

/** Step evaluate: the candidate on the frozen test set, through the same ONNX file that scans. */
export const evaluateStep = {
  step: 'evaluate',
  /** Version of the counting; results of an older version are counted again. */
  version: 2,
  inputs: z.strictObject({
    /** Digest of the model's file. */
    model: sha256Schema,
    poolVersion: z.number().int(),
    pool: nameSchema,
    /** Side of the grid on which the model is measured. */
    size: z.number().int(),
    /** Threads per session: another order of sums gives other digits. */
    threads: z.number().int(),
  }),
  outputs: z.object({
    /** Table: one row per test image. */
    images: z.string(),
    /** JSON: IoU by class and slice. */
    summary: z.string(),
  }),
  facts: z.object({
    miou: fact.iou('mIoU'),
    majorMiou: fact.iou('mIoU of major classes'),
    minorMiou: fact.iou('mIoU of minor classes'),
    imageMiou: fact.iou('mean of per-image mIoU'),
    boundaryIou: fact.iou('boundary IoU'),
    calibrationError: fact.share('calibration error of pixels'),
    images: fact.count('test images'),
    leftOut: fact.exception('test images left out'),
    leftOutWhy: fact.text('why they are left out'),
    testVersion: fact.text('test set'),
  }),
} as const satisfies StepContract;
export type EvaluateResult = ResultOf<typeof evaluateStep>;

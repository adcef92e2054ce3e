import { z } from 'zod';
import { nameSchema, sha256Schema } from '../base/ids.js';
import { splitChoiceSchema } from '../scan/judge/split.js';
import { fact, type ResultOf, type StepContract } from '../stepContract.js';

/**
 * The outcome for every image of the pool: all other counts add up to `poolImages`. Facts of a draw, and of its scan.
 */
export const drawCounts = {
  poolImages: fact.count('images in the pool'),
  otherTrain: fact.exception('not drawn: in the training split'),
  otherVal: fact.exception('not drawn: in the validation split'),
  otherTest: fact.exception('not drawn: in the test split'),
  interior: fact.exception('not drawn: of a car interior'),
  /** Copies of test images, and pictures of a vehicle of the test set. */
  heldBack: fact.exception('not drawn: shared with the test set'),
  /** By earlier iterations of the loop. */
  drawnBefore: fact.exception('not drawn: drawn earlier'),
  /** Left for later iterations. */
  remaining: fact.count('not drawn yet'),
  /** Gone, empty or changed in the store. */
  missing: fact.exception('missing or changed'),
};

/** Step draw: a chunk of images that the loop has not seen; all their objects are known to be in the store. */
export const drawStep = {
  step: 'draw',
  version: 2,
  inputs: z.strictObject({
    pool: nameSchema,
    poolVersion: z.number().int(),
    chunkSize: z.number().int(),
    seed: z.number().int(),
    iteration: z.number().int(),
    /** Digest of the previous draw. */
    before: sha256Schema.nullable(),
    /** Given if a scan outside a loop asks for another side than a loop draws. */
    split: splitChoiceSchema.optional(),
  }),
  outputs: z.object({
    /** Table of the drawn rows. */
    chunk: z.string(),
    /**
     * JSON: drawn images that are not where the pool says, how many were not drawn and why, and copies of test images.
     */
    missing: z.string(),
    /** JSON: ids of all images that the loop has drawn so far. */
    drawn: z.string(),
  }),
  facts: z.object({
    drawn: fact.count('images drawn'),
    poolVersion: fact.count('pool version'),
    missingWhy: fact.text('why they are missing'),
    testImages: fact.count('test images'),
    split: fact.text('side of the split'),
    /** Written before this draw by `scan.autoCorrect`; absent if it is not `apply`. */
    corrected: fact.exception('labels corrected by answers').optional(),
    ...drawCounts,
  }),
} as const satisfies StepContract;
export type DrawResult = ResultOf<typeof drawStep>;

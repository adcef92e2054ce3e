import { z } from 'zod';
import { sha256Schema } from '../base/ids.js';
import { fact, type ResultOf, type StepContract } from '../stepContract.js';

/** Step sample: the images that the model needs, and the training set that they join. */
export const sampleStep = {
  step: 'sample',
  version: 3,
  inputs: z.strictObject({
    /** Digests of the steps that it builds on; `before`: of the previous iteration. */
    draw: sha256Schema,
    scan: sha256Schema,
    before: sha256Schema.nullable(),
    config: z.record(z.string(), z.unknown()),
    seed: z.number().int(),
    iteration: z.number().int(),
  }),
  outputs: z.object({
    /** Table of the picks, with their reason. */
    sample: z.string(),
    /** Table of all images to train on; tags that a scan inferred stand there with their origin. */
    trainingSet: z.string(),
    /** JSON: the picks compared with equally many drawn at random. */
    comparison: z.string(),
    /** JSON: picks that cannot be trained on. */
    leftOut: z.string(),
  }),
  facts: z.object({
    budget: fact.count('images to pick'),
    candidates: fact.count('candidates'),
    interior: fact.exception('not picked: of a car interior, by prediction and label'),
    sampled: fact.count('images picked'),
    random: fact.count('of which at random'),
    trainingSet: fact.count('images to train on'),
    takenOut: fact.exception('no longer trained on'),
    leftOut: fact.exception('picks left out'),
    leftOutWhy: fact.text('why they are left out'),
    wrongShareSample: fact.share('wrong labels among the picks, estimated'),
    wrongShareChunk: fact.share('wrong labels in the chunk, estimated'),
  }),
} as const satisfies StepContract;
export type SampleResult = ResultOf<typeof sampleStep>;

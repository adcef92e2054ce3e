import { z } from 'zod';
import { fact, type ResultOf, type StepContract } from '../stepContract.js';
import { trainingFacts, trainingIdentitySchema } from '../train/step.js';
import { tuningSchema } from './proposal.js';

/** Step tune: other training settings, tried on the iteration's training set; the best become a proposal. */
export const tuneStep = {
  step: 'tune',
  version: 1,
  inputs: tuningSchema,
  outputs: z.object({
    /** JSON: the trials and their proposal. */
    tuning: z.string(),
  }),
  facts: z.object({
    trials: fact.count('trials'),
    best: fact.number('best trial'),
    valMiou: fact.iou('mIoU of the best trial on validation images'),
    ownValMiou: fact.iou('mIoU of the loop’s settings on validation images'),
    proposed: fact.yesNo('proposes settings'),
  }),
} as const satisfies StepContract;
export type TuneResult = ResultOf<typeof tuneStep>;

/** Part of step tune: one trial, trained up to the end of one rung. */
export const trialPart = {
  step: 'trial',
  version: 1,
  inputs: trainingIdentitySchema.extend({
    /** Recipe of the trainer. */
    trainer: z.string(),
    trial: z.number().int(),
    /** Iteration at which the rung ends. */
    stopAfter: z.number().int(),
  }),
  outputs: z.object({
    /** JSON lines of the trainer. */
    log: z.string(),
    /** Pointer to the trial's checkpoints: one for all its rungs. */
    chain: z.string(),
  }),
  facts: z.object({
    trial: fact.count('trial'),
    rung: fact.count('rung'),
    ...trainingFacts,
  }),
} as const satisfies StepContract;
export type TrialResult = ResultOf<typeof trialPart>;

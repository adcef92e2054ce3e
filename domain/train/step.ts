import { z } from 'zod';
import { sha256Schema } from '../base/ids.js';
import { fact, type ResultOf, type StepContract } from '../stepContract.js';

/** The values that decide the weights of a training, beside the trainer. */
export const trainingIdentitySchema = z.strictObject({
  config: z.record(z.string(), z.unknown()),
  seed: z.number().int(),
  iteration: z.number().int(),
  taxonomyDigest: sha256Schema,
  /** Digests of the lists of images with their labels. */
  trainingSetDigest: sha256Schema,
  val: sha256Schema,
  /** Side of the grid on which the model is measured. */
  evaluationSize: z.number().int(),
  /** Digest of the weights that it starts from. */
  warmStart: sha256Schema.optional(),
  /** Digest of the taxonomy's rules, if they differ from the first ones of its classes. */
  rules: sha256Schema.optional(),
});
export type TrainingIdentity = z.infer<typeof trainingIdentitySchema>;

/** Facts of every training. */
export const trainingFacts = {
  iterations: fact.count('iterations'),
  valMiou: fact.iou('mIoU on validation images'),
  loss: fact.number('loss'),
  resumes: fact.exception('resumes from a checkpoint'),
  images: fact.count('images trained on'),
  leftOut: fact.exception('training images left out'),
  valLeftOut: fact.exception('validation images left out'),
  leftOutWhy: fact.text('why they are left out'),
  // Only if some could no longer be used.
  lostCheckpoints: fact.exception('checkpoints lost').optional(),
  lostIterations: fact.exception('iterations trained again').optional(),
};

const contract = {
  version: 1,
  inputs: trainingIdentitySchema.extend({
    /** Recipe of the trainer. */
    trainer: z.string(),
    /** Name of this training within its iteration. */
    step: z.string(),
  }),
  outputs: z.object({
    /** ONNX: the network, for its users. */
    model: z.string(),
    /** ONNX: the same network with the outputs that a scan needs. */
    scan: z.string(),
    /** JSON: classes, training list, measures and digests of the files. */
    card: z.string(),
    /** JSON lines of the trainer. */
    log: z.string(),
    /** JSON: images that the weights have seen. */
    trainingList: z.string(),
    /** JSON: images that were left out. */
    leftOut: z.string(),
    /** Only of step train and of a control: weights from which a later training may start. */
    weights: z.string().optional(),
  }),
  facts: z.object({ weightsSha256: fact.text('digest of the weights'), ...trainingFacts }),
} as const;

/** Step train: K-Net on everything picked so far. */
export const trainStep = { step: 'train', ...contract } as const satisfies StepContract;
export type TrainResult = ResultOf<typeof trainStep>;

/** Part of step scan: the model that judges one fold, trained on the others. */
export const foldPart = { step: 'fold', ...contract } as const satisfies StepContract;
export type FoldResult = ResultOf<typeof foldPart>;

/** Part of step control: the model that is trained on random images, for comparison alone. */
export const armPart = { step: 'arm', ...contract } as const satisfies StepContract;
export type ArmResult = ResultOf<typeof armPart>;
